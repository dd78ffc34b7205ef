import Glibc

/// A plugin: what it is, and what makes it ready to work.
///
/// The whole main file of a plugin:
///
/// ```swift
/// import PluginKit
///
/// try Plugin(description: description) { parameters, _ in
///     OpenedPlugin(try MyStore(parameters.config))
/// }.run()
/// ```
///
/// Calls run on one thread, in their order; with `limits.maxInflight` above 1 on so many threads at once.
public struct Plugin: Sendable {
    /// Makes the plugin ready: reads the configuration, connects. Runs once, before any other call.
    ///
    /// - Throws: ``PluginFailure``; `.badConfig` when only a person can help.
    public typealias Opening = @Sendable (OpenParameters, CallContext) throws -> OpenedPlugin

    /// The answer to `describe`.
    public let description: PluginDescription
    let open: Opening

    /// - Parameters:
    ///   - description: the answer to `describe`; its schema is also checked here, before `open` is called.
    ///   - open: makes the plugin ready.
    public init(description: PluginDescription, open: @escaping Opening) {
        self.description = description
        self.open = open
    }

    /// Serves on standard input and output until the host closes standard input or asks the process to end; then
    /// closes the handler and exits with 0.
    ///
    /// Standard output is taken away first, so that `print` and child processes write to standard error instead of into
    /// the protocol, and standard input becomes /dev/null. Started by hand on a terminal, it explains itself and exits
    /// with 2; `--help` and `--version` are answered.
    public func run() -> Never {
        if let (text, status) = Introduction.answer(to: CommandLine.arguments, description: description) {
            StandardStreams.writeError(text)
            exit(status)
        }
        guard let streams = StandardStreams.takeOver() else {
            StandardStreams.writeError("\(description.name): standard input or output is closed\n")
            exit(2)
        }
        serve(input: streams.input, output: streams.output, termination: streams.termination)
        exit(0)
    }

    /// Serves on these descriptors and returns after the handler was closed.
    ///
    /// - Parameter termination: becomes readable when the process is asked to end; -1 for none.
    package func serve(input: Int32, output: Int32, termination: Int32 = -1) {
        ServeLoop(plugin: self, writer: LineWriter(descriptor: output)).run(input: input, termination: termination)
    }
}

/// What `open` makes: the handler, and what the host is told.
public struct OpenedPlugin: Sendable {
    let handler: any PluginHandler
    let result: OpenResult

    /// - Parameters:
    ///   - handler: conforms to the protocols of the kinds that the description names.
    ///   - spoolNear: an existing directory on the file system where objects will end, when `put` can link.
    public init(_ handler: any PluginHandler, spoolNear: SpoolPath? = nil) {
        self.handler = handler
        result = OpenResult(spoolNear: spoolNear)
    }
}
