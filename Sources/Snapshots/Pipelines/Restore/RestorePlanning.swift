import Archiving
import Glibc
import PluginHost
package import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// Finds in a snapshot what a request asks for.
package struct RestorePlanning {
    private let browser: SnapshotBrowser
    private let snapshot: OpenRepository.Snapshot
    private let hostname: String

    /// The index of the repository must be loaded.
    ///
    /// - Parameter hostname: of this machine; a snapshot of another one is restored with a note.
    package init(_ browser: SnapshotBrowser, _ snapshot: OpenRepository.Snapshot, hostname: String) {
        self.browser = browser
        self.snapshot = snapshot
        self.hostname = hostname
    }

    /// - Throws: ``PipelineError/Code/badRequest`` when the snapshot does not hold what is asked for.
    package func plan(_ request: RestoreRequest) throws -> RestorePlan {
        if let target = request.target { return try planFiles(request.scope, target) }
        guard let document = try browser.document(of: snapshot) else {
            throw PipelineError(
                .badRequest,
                "The snapshot \(snapshot.id.short) was made by another program; restore its files with --target DIR.")
        }
        switch request.scope {
        case .path:
            throw PipelineError(.badRequest, "A path of a snapshot is restored with --target DIR only.")
        case .application(let name):
            guard let application = document.applications.first(where: { $0.name == name }) else {
                throw missing(name, document)
            }
            return try assemble([application], console: nil, document)
        case .console:
            return try assemble([], console: try consoleNode(document), document)
        case .everything:
            let console = document.kind == .full ? try consoleNode(document) : nil
            return try assemble(document.applications, console: console, document)
        }
    }

    private func missing(_ name: ApplicationName, _ document: SnapshotDocument) -> PipelineError {
        let names = document.applications.map(\.name.text).joined(separator: ", ")
        return PipelineError(
            .badRequest,
            "The snapshot \(snapshot.id.short) holds no application '\(name)'; it holds: \(names.isEmpty ? "none" : names)."
        )
    }

    private func consoleNode(_ document: SnapshotDocument) throws -> TreeNode {
        guard document.kind == .full,
            let node = try browser.node(at: "console/\(ConsoleCapture.catalogName)", in: snapshot)
        else {
            throw PipelineError(
                .badRequest,
                "The snapshot \(snapshot.id.short) is a partial one and holds no console state; choose a full one.")
        }
        return node
    }

    private func assemble(
        _ applications: [SnapshotDocument.Application], console: TreeNode?, _ document: SnapshotDocument
    ) throws -> RestorePlan {
        var notes: [String] = []
        if snapshot.record.hostname != hostname {
            notes.append("The snapshot was taken on the host '\(snapshot.record.hostname)'; this one is '\(hostname)'.")
        }
        for application in applications {
            if !application.isRestorable || application.consistency == .partial {
                notes.append(
                    "Not everything of '\(application.name)' is in the snapshot; 'stillpoint show \(snapshot.id.short)' says what is missing."
                )
            }
            for dump in application.dumps where dump.plugin == "command" && dump.loadCommand == nil {
                notes.append(
                    "The dump '\(dump.name)' of '\(application.name)' has no 'load' command and will not be loaded.")
            }
            if application.consistency == .crash, let reason = application.consistencyReason {
                notes.append("'\(application.name)' was not held still when it was captured: \(reason).")
            }
        }
        let planned = try applications.map(plan)
        notes += planned.flatMap(excluded)
        return RestorePlan(snapshot: snapshot, applications: planned, console: console, files: nil, notes: notes)
    }

    /// A volume is replaced as a whole, with what was left out of the snapshot on purpose.
    private func excluded(from application: RestorePlan.Application) -> [String] {
        application.manifest.volumes.compactMap { volume in
            let isReplaced = application.items.contains { $0.kind == "volume" && $0.name == volume.name && $0.replaces }
            guard isReplaced, !volume.exclude.isEmpty else { return nil }
            return
                "What is in \(volume.path) now and excluded from snapshots (\(volume.exclude.joined(separator: ", "))) "
                + "will be gone; copy it away before if it is needed."
        }
    }

    private func plan(_ application: SnapshotDocument.Application) throws -> RestorePlan.Application {
        let folder = "applications/\(application.name)"
        guard let yaml = try browser.node(at: folder + "/application.yaml", in: snapshot) else {
            throw PipelineError(
                .incompleteSnapshot,
                "The snapshot \(snapshot.id.short) has no application.yaml of '\(application.name)'.")
        }
        let text = String(decoding: try browser.content(of: yaml), as: UTF8.self)
        let manifest: ApplicationManifest
        do { manifest = try ApplicationManifest.parse(text) } catch {
            throw PipelineError(
                .incompleteSnapshot, "The application.yaml of '\(application.name)' in the snapshot is not valid",
                cause: error)
        }
        var items: [RestorePlan.Item] = []
        for volume in application.volumes {
            items.append(
                try item(
                    "volume", volume.name, volume.path, folder + "/volumes/\(volume.name)", volume.entryCount,
                    volume.byteCount))
        }
        for file in application.manifests {
            items.append(
                try item("manifest", file.storedPath, file.path, folder + "/manifests/\(file.storedPath)", nil, nil))
        }
        var dumps: [(dump: ApplicationManifest.Dump, byteCount: Int64)] = []
        var nodes: [TreeNode] = []
        for dump in manifest.dumps {
            guard let node = try browser.node(at: folder + "/dumps/\(dump.name)", in: snapshot) else { continue }
            dumps.append((dump, Int64(clamping: node.size)))
            nodes.append(node)
        }
        return RestorePlan.Application(
            manifest: manifest, manifestText: text, sourcePath: sourcePath(of: application, manifest), items: items,
            dumps: dumps,
            hooks: manifest.hooks.filter { $0.receives(.restorePre) || $0.receives(.restorePost) }.map(\.plugin),
            dumpNodes: nodes, missing: missing(application, manifest, nodes))
    }

    /// "Done" must not be said of a restore that lacks something.
    private func missing(
        _ application: SnapshotDocument.Application, _ manifest: ApplicationManifest, _ dumps: [TreeNode]
    ) -> [String] {
        let lost = "is not in the snapshot \(snapshot.id.short) and was not restored."
        var missing = manifest.volumes.filter { volume in !application.volumes.contains { $0.name == volume.name } }
            .map { "The volume '\($0.name)' \(lost)" }
        missing += manifest.dumps.filter { dump in !dumps.contains { $0.displayName == dump.name } }
            .map { "The dump '\($0.name)' \(lost)" }
        let stored = Set(
            application.manifests.map { $0.storedPath.split(separator: "/").map(String.init) })
        missing += manifest.manifests.filter { path in
            !stored.contains(
                ApplicationManifest.storedPath(ofManifest: path).split(separator: "/").map(String.init))
        }.map { "The manifest '\($0)' \(lost)" }
        return missing
    }

    /// The directory to which relative manifests belong is where they were captured from; without any it does not matter.
    private func sourcePath(
        of application: SnapshotDocument.Application, _ manifest: ApplicationManifest
    ) -> String {
        for path in manifest.manifests where !path.hasPrefix("/") {
            let stored = ApplicationManifest.storedPath(ofManifest: path).split(separator: "/").joined(separator: "/")
            for captured in application.manifests where captured.storedPath == stored {
                guard captured.path.hasSuffix("/" + stored) else { continue }
                return captured.path.dropLast(stored.utf8.count) + "application.yaml"
            }
        }
        return "/applications/\(application.name)/application.yaml"
    }

    private func item(
        _ kind: String, _ name: String, _ target: String, _ path: String, _ entries: Int64?, _ bytes: Int64?
    ) throws -> RestorePlan.Item {
        guard let node = try browser.node(at: path, in: snapshot) else {
            throw PipelineError(
                .incompleteSnapshot, "The snapshot \(snapshot.id.short) has no \(path), which it should have.")
        }
        guard target.hasPrefix("/"), target != "/", !target.split(separator: "/").contains("..") else {
            throw PipelineError(
                .incompleteSnapshot, "The \(kind) '\(name)' names no place that can be restored to: '\(target)'.")
        }
        return RestorePlan.Item(
            kind: kind, name: name, target: target, entryCount: entries, byteCount: bytes,
            replaces: FileTree.kind(at: target) != nil, node: node)
    }

    private func planFiles(_ scope: RestoreRequest.Scope, _ target: String) throws -> RestorePlan {
        let paths: [String]
        switch scope {
        case .everything: paths = try browser.root(of: snapshot).map(\.displayName)
        case .console: paths = ["console"]
        case .application(let name): paths = ["applications/\(name)"]
        case .path(let path): paths = [path.split(separator: "/").joined(separator: "/")]
        }
        var entries: [(path: String, node: TreeNode)] = []
        if case .everything = scope {
            entries = try browser.root(of: snapshot).map { ($0.displayName, $0) }
        } else {
            for path in paths {
                guard let node = try browser.node(at: path, in: snapshot) else {
                    throw RepositoryError.noPath(path, in: snapshot.id)
                }
                // A path is restored under its last name, a part of ours under its whole path.
                let name =
                    if case .path = scope { path.split(separator: "/").last.map(String.init) ?? path } else { path }
                entries.append((name, node))
            }
        }
        return RestorePlan(
            snapshot: snapshot, applications: [], console: nil, files: .init(target: target, entries: entries),
            notes: [])
    }
}
