/// Produces dumps and takes them back. A call that runs when the host closes standard input is cancelled.
public protocol SourcePluginHandler: PluginHandler {
    /// Writes the dump to `parameters.path`, a FIFO that is open for reading, and returns how much that was.
    ///
    /// - Throws: ``PluginFailure`` when the dump is not complete; the host then keeps nothing of it.
    func dump(_ parameters: SourceDumpParameters, _ call: CallContext) throws -> SourceDumpResult

    /// Reads the dump back from `parameters.path`.
    func load(_ parameters: SourceLoadParameters, _ call: CallContext) throws
}
