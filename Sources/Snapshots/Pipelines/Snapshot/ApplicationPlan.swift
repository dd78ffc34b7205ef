package import Archiving
import Glibc
import JSON
import PluginHost
import PluginProtocol
import RepositoryFormat
package import SnapshotModel
import Threads

/// Everything that is known about an application's snapshot before anything is frozen.
struct ApplicationPlan {
    let manifest: ApplicationManifest
    /// The text of its application.yaml, which goes into the snapshot.
    let manifestText: String
    /// Where its relative manifests are looked for.
    let directory: String
    /// Hook plugins that are open, in order.
    let hooks: [PlannedHook]
    /// Source plugins that are open, one for each dump.
    let sources: [SourcePlugin]
    /// Nodes of the volumes in the previous snapshot, by name.
    var previousVolumes: [String: TreeNode] = [:]
    var detection = SnapshotRequest.ChangeDetection()

    var name: ApplicationName { manifest.name }

    /// Absolute path of one of its manifests.
    func path(ofManifest path: String) -> String {
        var path = path
        while path.hasSuffix("/"), path.count > 1 { path.removeLast() }
        return path.hasPrefix("/") ? path : directory + "/" + path
    }

    /// Ends its plugins in order.
    func close() {
        for source in sources { source.close() }
        for hook in hooks { hook.plugin.close() }
    }
}

/// A hook of an application with its plugin open.
struct PlannedHook {
    let hook: ApplicationManifest.Hook
    let reference: PluginReference
    let plugin: HookPlugin
}

/// Makes plans and finds out, before anything is frozen, what would make the run fail.
struct ApplicationPlanner {
    let host: PipelineHost

    /// Plans one application.
    ///
    /// - Throws: ``PipelineError/Code/badRequest`` for a volume or manifest that is not there; errors of the plugin host
    ///   for plugins that are missing, broken or refuse their configuration.
    func plan(_ application: RegisteredApplication) throws -> ApplicationPlan {
        let manifest: ApplicationManifest
        do { manifest = try ApplicationManifest.parse(application.manifestText) } catch {
            throw PipelineError(
                .badRequest, "The registered manifest of '\(application.name)' is not valid any more; add it again",
                cause: error)
        }
        let slash = application.sourcePath.lastIndex(of: "/") ?? application.sourcePath.startIndex
        let directory = String(application.sourcePath[..<slash])
        for volume in manifest.volumes { try requireDirectory(volume, of: manifest.name) }
        let (hooks, sources) = try openPlugins(of: manifest)
        let plan = ApplicationPlan(
            manifest: manifest, manifestText: application.manifestText, directory: directory, hooks: hooks,
            sources: sources)
        for path in manifest.manifests where access(plan.path(ofManifest: path), F_OK) != 0 {
            plan.close()
            throw PipelineError(
                .badRequest,
                "The manifest \(plan.path(ofManifest: path)) of '\(manifest.name)' cannot be found; correct the path in its application.yaml."
            )
        }
        return plan
    }

    /// Opens the hook and source plugins of an application.
    func openPlugins(of manifest: ApplicationManifest) throws -> (hooks: [PlannedHook], sources: [SourcePlugin]) {
        var hooks: [PlannedHook] = []
        var sources: [SourcePlugin] = []
        do {
            for hook in manifest.hooks {
                let reference = try host.locator.locate(.hook, hook.plugin)
                hooks.append(
                    PlannedHook(
                        hook: hook, reference: reference,
                        plugin: try host.supervisor.openHook(
                            reference, instance: manifest.name.text, mode: .readWrite, config: hook.pluginConfig,
                            // A cancelled run still has to release: its hooks live on.
                            cancellation: Cancellation())))
            }
            for dump in manifest.dumps {
                sources.append(
                    try host.supervisor.openSource(
                        try host.locator.locate(.source, dump.plugin), instance: manifest.name.text, mode: .readWrite,
                        config: dump.config, cancellation: host.cancellation))
            }
        } catch {
            for source in sources { source.close() }
            for hook in hooks { hook.plugin.close() }
            throw error
        }
        return (hooks, sources)
    }

    private func requireDirectory(_ volume: ApplicationManifest.Volume, of name: ApplicationName) throws {
        let kind = FileTree.kind(at: volume.path)
        guard kind != nil else {
            throw PipelineError(
                .badRequest,
                "The volume '\(volume.name)' of '\(name)' is not there: \(volume.path); correct the path in its application.yaml."
            )
        }
        guard access(volume.path, R_OK) == 0 else {
            throw PipelineError(
                .badRequest,
                "The volume '\(volume.name)' of '\(name)' cannot be read: \(volume.path): \(systemMessage(errno)).")
        }
    }
}

extension ApplicationManifest.Volume {
    /// How the archive reads it.
    package var archiveOptions: ArchiveOptions {
        var options = ArchiveOptions()
        options.excludes = exclude
        options.excludeCaches = excludeCaches
        options.excludeIfPresent = excludeIfPresent
        options.oneFileSystem = oneFileSystem
        return options
    }
}
