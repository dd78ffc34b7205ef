import Glibc
import JSON
import PluginHost
package import PluginProtocol
import SnapshotModel
import Synchronization
import Threads

/// Reaches hook plugins for leases: those that a plan has open, or, for leases of a run that is gone, a new process.
package final class HookCaller: LeaseHookCaller {
    private struct Key: Hashable {
        let application: ApplicationName
        let executable: String
        let config: JSONObject
    }

    private let host: PipelineHost
    private let plugins = Mutex<[Key: HookPlugin]>([:])
    /// Opened here, so closed here.
    private let opened = Mutex<[HookPlugin]>([])

    package init(_ host: PipelineHost) { self.host = host }

    /// Makes the open plugin of a plan reachable.
    func register(_ hook: PlannedHook, of application: ApplicationName) {
        let key = Key(application: application, executable: hook.reference.executable, config: hook.hook.pluginConfig)
        plugins.withLock { $0[key] = hook.plugin }
    }

    /// The plugins of an application are closed: what is still out reaches it through a new process.
    func forget(_ application: ApplicationName) {
        plugins.withLock { plugins in plugins = plugins.filter { $0.key.application != application } }
    }

    package func call(_ lease: Lease, _ parameters: HookRunParameters, timeout: Duration) throws -> HookRunResult {
        let plugin: HookPlugin
        do { plugin = try self.plugin(for: lease) } catch { throw HookNotSent(cause: error) }
        do {
            // A run that is cancelled need not wait until the application is still; its release is never cancelled.
            let isPost = parameters.event == lease.pair.post
            return try plugin.run(
                parameters, timeout: timeout, isRepeatable: isPost, cancellation: isPost ? nil : host.cancellation)
        } catch let error as PluginHostError where Self.neverSent(error) {
            throw HookNotSent(cause: error)
        }
    }

    /// Only certainty counts.
    private static func neverSent(_ error: PluginHostError) -> Bool {
        !error.mayHaveBeenSent
            && [
                .startFailed, .breakerOpen, .refused, .invalidConfiguration, .secretUnavailable, .cancelled, .closed,
            ].contains(error.code)
    }

    private func plugin(for lease: Lease) throws -> HookPlugin {
        let key = Key(application: lease.application, executable: lease.plugin.executable, config: lease.config)
        if let plugin = plugins.withLock({ $0[key] }) { return plugin }
        let reference = try host.locator.locate(.hook, lease.plugin.executable, arguments: lease.plugin.arguments)
        let plugin = try host.supervisor.openHook(
            reference, instance: lease.application.text, mode: .readWrite, config: lease.config,
            cancellation: Cancellation())
        plugins.withLock { $0[key] = plugin }
        opened.withLock { $0.append(plugin) }
        return plugin
    }

    /// Ends the plugins that were opened for leases of other runs.
    package func close() {
        for plugin in opened.withLock({ list in
            defer { list = [] }; return list
        }) { plugin.close() }
    }
}
