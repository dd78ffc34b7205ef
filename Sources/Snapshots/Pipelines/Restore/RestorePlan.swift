import JSON
package import Repository
package import RepositoryFormat
package import SnapshotModel

/// What is to be restored.
package struct RestoreRequest: Sendable, Hashable {
    /// Which part of a snapshot.
    package enum Scope: Sendable, Hashable {
        /// Console and all applications of a full snapshot; the application of a partial one.
        case everything
        case application(ApplicationName)
        case console
        /// A file or directory by its path in the snapshot; to a target only.
        case path(String)
    }

    /// Which part.
    package var scope: Scope
    /// Files go below this directory and no application is touched; nil to restore in place.
    package var target: String?

    package init(scope: Scope, target: String? = nil) {
        self.scope = scope
        self.target = target
    }
}

/// Exactly what a restore will do; showing it changes nothing.
package struct RestorePlan: Sendable {
    /// A volume or manifest and where it goes.
    package struct Item: Sendable {
        /// "volume" or "manifest".
        package let kind: String
        package let name: String
        /// Absolute path on this machine.
        package let target: String
        /// Nil when unknown: manifests are not counted.
        package let entryCount: Int64?
        package let byteCount: Int64?
        /// Whether something is there now, which will be replaced.
        package let replaces: Bool
        let node: TreeNode
    }

    /// One application in place.
    package struct Application: Sendable {
        /// The application.yaml of the snapshot: its hooks and plugins are those that stop, load and start.
        package let manifest: ApplicationManifest
        /// Its text, for a host that does not know the application.
        let manifestText: String
        /// Where the application.yaml lay, as far as the snapshot tells.
        let sourcePath: String
        /// Its volumes, then its manifests.
        package let items: [Item]
        /// Dumps that the source plugins load, by name.
        package let dumps: [(dump: ApplicationManifest.Dump, byteCount: Int64)]
        /// Hook plugins that stop and start the application.
        package let hooks: [String]
        let dumpNodes: [TreeNode]
        /// Sentences about what the manifest names and the snapshot lacks.
        package let missing: [String]
        /// The name of the application.
        package var name: ApplicationName { manifest.name }
    }

    /// Files below a target directory.
    package struct Files: Sendable {
        package let target: String
        package let entries: [(path: String, node: TreeNode)]
    }

    /// What is restored from.
    package let snapshot: OpenRepository.Snapshot
    /// The applications that are restored in place, in their order.
    package let applications: [Application]
    /// The catalog's copy, when the console is restored in place.
    let console: TreeNode?
    /// What is written to a target directory instead; nil for a restore in place.
    package let files: Files?
    /// What the person who confirms should know.
    package let notes: [String]

    /// True when the host's own catalog is replaced.
    package var restoresConsole: Bool { console != nil }

    /// A short digest of everything in the plan: the same plan has the same id.
    package var id: String {
        var text = snapshot.id.hexadecimal + (console == nil ? "" : "+console") + (files?.target ?? "")
        for application in applications {
            text += "|\(application.name)"
            for item in application.items {
                text += ",\(item.target)=\(item.node.subtree?.hexadecimal ?? item.name)\(item.replaces)"
            }
            for dump in application.dumps { text += ",dump \(dump.dump.name)" }
        }
        for entry in files?.entries ?? [] { text += ",\(entry.path)" }
        return String(ObjectID(hashing: Array(text.utf8)).hexadecimal.prefix(12))
    }
}
