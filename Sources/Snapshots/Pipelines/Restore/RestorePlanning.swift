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

    /// The index of the repository must be loaded.
    package init(_ browser: SnapshotBrowser, _ snapshot: OpenRepository.Snapshot) {
        self.browser = browser
        self.snapshot = snapshot
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
        if document.host != "", snapshot.record.hostname != document.host {
            notes.append("The snapshot's records disagree about its host.")
        }
        for application in applications {
            if !application.isRestorable {
                notes.append(
                    "Not everything of '\(application.name)' is in the snapshot; 'stillpoint show \(snapshot.id.short)' says what is missing."
                )
            }
            if application.consistency == .crash, let reason = application.consistencyReason {
                notes.append("'\(application.name)' was not held still when it was captured: \(reason).")
            }
        }
        return RestorePlan(
            snapshot: snapshot, applications: try applications.map(plan), console: console, files: nil, notes: notes)
    }

    private func plan(_ application: SnapshotDocument.Application) throws -> RestorePlan.Application {
        let folder = "applications/\(application.name)"
        guard let yaml = try browser.node(at: folder + "/application.yaml", in: snapshot) else {
            throw PipelineError(
                .incompleteSnapshot,
                "The snapshot \(snapshot.id.short) has no application.yaml of '\(application.name)'.")
        }
        let manifest: ApplicationManifest
        do {
            manifest = try ApplicationManifest.parse(String(decoding: try browser.content(of: yaml), as: UTF8.self))
        } catch let error as ManifestInvalid {
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
            manifest: manifest, items: items, dumps: dumps,
            hooks: manifest.hooks.filter { $0.receives(.restorePre) || $0.receives(.restorePost) }.map(\.plugin),
            dumpNodes: nodes)
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
