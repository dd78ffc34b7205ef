/// Acts on events.
///
/// A post event may come for a run whose pre was never seen, and twice; it must succeed. When the host closes standard
/// input or the process is asked to end, the call that runs is cancelled (``CallContext/onCancel(_:)``), and
/// ``PluginHandler/close()`` must release whatever a pre event froze.
public protocol HookPluginHandler: PluginHandler {
    /// Runs the hook. An event that the plugin does not know is `PluginFailure.unsupported`.
    func run(_ parameters: HookRunParameters, _ call: CallContext) throws -> HookRunResult
}
