import Threads
import Archiving
import Glibc
import JSON
import PluginHost
import PluginProtocol
import RepositoryFormat
import SnapshotModel
import Synchronization

/// Captures one application: holds it still, reads volumes and dumps, lets it go, reads the rest.
struct ApplicationCapture {
    let host: PipelineHost
    let recorder: RunRecorder
    let archiver: Archiver
    let plan: ApplicationPlan
    let hold: ApplicationHold

    /// What came of it: the nodes below `/applications/NAME/`, and what the snapshot's document says.
    struct Result {
        var tree = VirtualDirectory()
        var document: SnapshotDocument.Application
    }

    /// - Throws: ``ApplicationSkipped``; ``PipelineError/Code/quiesceFailed``; what made the capture as a whole impossible. The
    ///   application is released in every case.
    func run() throws -> Result {
        let warningsBefore = archiver.statistics.warnings
        var result = Result(
            document: SnapshotDocument.Application(
                name: plan.name, title: plan.manifest.title, version: plan.manifest.version, consistency: .application,
                isRestorable: true))
        recorder.phase(.quiescing, application: plan.name)
        do {
            try hold.acquire(context: context)
            recorder.phase(.capturing, application: plan.name)
            try captureData(&result)
        } catch {
            recorder.phase(.releasing, application: plan.name)
            hold.release(host.cancellation.isCancelled ? .cancelled : .failed)
            throw error
        }
        recorder.phase(.releasing, application: plan.name)
        hold.release(result.document.isRestorable ? .ok : .partial)
        try captureManifests(&result)
        label(&result.document, skipped: archiver.statistics.warnings - warningsBefore)
        return result
    }

    /// What hooks are told about the run.
    private var context: JSONObject {
        [
            "job": .string(recorder.run.kind.rawValue),
            "sources": .array(plan.manifest.volumes.map { .string($0.path) }),
        ]
    }

    private func captureData(_ result: inout Result) throws {
        for volume in plan.manifest.volumes {
            let before = archiver.statistics
            var options = volume.archiveOptions
            options.ignoresInode = plan.detection.ignoresInode
            options.ignoresChangeTime = plan.detection.ignoresChangeTime
            do {
                let node = try archiver.archive(
                    path: volume.path, as: volume.name, previous: plan.previousVolumes[volume.name],
                    options: options)
                let counts = archiver.statistics - before
                result.tree.insert(node, at: ["volumes", volume.name])
                result.document.volumes.append(
                    .init(
                        name: volume.name, path: volume.path, entryCount: Int64(clamping: counts.entries),
                        byteCount: Int64(clamping: counts.bytes)))
            } catch let error as ArchiveError where error.code == .unreadableRoot {
                recorder.warn(
                    "The volume '\(volume.name)' was not captured: \(error)", path: volume.path, application: plan.name)
                result.document.isRestorable = false
            }
        }
        for (dump, source) in zip(plan.manifest.dumps, plan.sources) { try capture(dump, source, &result) }
    }

    private func capture(_ dump: ApplicationManifest.Dump, _ source: SourcePlugin, _ result: inout Result) throws {
        do {
            let node = try archiver.archive(streamNamed: dump.name) { consume in
                _ = try source.dump(
                    run: recorder.id.text, name: dump.name, context: ["application": .string(plan.name.text)],
                    timeout: nil,
                    consume: consume)
            }
            result.tree.insert(node, at: ["dumps", dump.name])
            let load = dump.config["load"]?.objectValue?["command"]?.arrayValue?.compactMap(\.stringValue)
            result.document.dumps.append(
                .init(name: dump.name, plugin: dump.plugin, byteCount: Int64(clamping: node.size), loadCommand: load))
        } catch let error as PluginHostError where error.code != .cancelled {
            recorder.warn("The dump '\(dump.name)' was not captured: \(error)", application: plan.name)
            result.document.isRestorable = false
        }
    }

    private func captureManifests(_ result: inout Result) throws {
        for path in plan.manifest.manifests {
            let source = plan.path(ofManifest: path)
            let stored = ApplicationManifest.storedPath(ofManifest: path).split(separator: "/").map(String.init)
            guard let name = stored.last else { continue }
            do {
                let node = try archiver.archive(path: source, as: name)
                result.tree.insert(node, at: ["manifests"] + stored)
                result.document.manifests.append(.init(path: source, storedPath: stored.joined(separator: "/")))
            } catch let error as ArchiveError where error.code == .unreadableRoot {
                recorder.warn("The manifest was not captured: \(error)", path: source, application: plan.name)
                result.document.isRestorable = false
            }
        }
        result.tree.insert(
            try archiver.archive(Array(plan.manifestText.utf8), as: "application.yaml"), at: ["application.yaml"])
    }

    private func label(_ document: inout SnapshotDocument.Application, skipped: UInt64) {
        document.hooks = hold.results
        document.held = hold.heldDuration
        if !document.isRestorable {
            document.consistency = .partial
            document.consistencyReason = "something was not captured; see the warnings"
        } else if skipped > 0 {
            document.consistency = .partial
            document.consistencyReason =
                "\(skipped) file\(skipped == 1 ? " was" : "s were") not captured as \(skipped == 1 ? "it is" : "they are"); see the warnings"
        } else if let reason = hold.brokenReason {
            document.consistency = .crash
            document.consistencyReason = reason
        } else if !hold.isHeld, !document.volumes.isEmpty {
            document.consistency = .crash
            document.consistencyReason = "no hook holds the application still"
        }
    }
}
