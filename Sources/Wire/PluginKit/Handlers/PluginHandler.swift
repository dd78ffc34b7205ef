/// What all kinds of plugins have in common.
///
/// Its methods are called from one thread, in the order of the requests, unless the plugin declared `maxInflight` above
/// 1; ``close()`` is called last, from another thread, when no call runs any more.
public protocol PluginHandler: Sendable {
    /// Tries connection and permissions. May write and remove one private object. By default succeeds.
    func check(_ call: CallContext) throws

    /// Releases what the plugin holds: the host closed standard input, or the process was asked to end. Called exactly
    /// once when `open` succeeded. A hook that froze something must let it go here. By default does nothing.
    func close()
}

extension PluginHandler {
    /// Succeeds.
    public func check(_ call: CallContext) throws {}
    /// Does nothing.
    public func close() {}
}
