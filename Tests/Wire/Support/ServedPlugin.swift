import CLinux
import Glibc
import PluginKit
import Threads

/// A plugin that is served within the test process, over pipes.
final class ServedPlugin: Sendable {
    let conversation: Conversation
    private let thread: WorkerThread
    private let terminationWriter: Int32

    init(_ plugin: Plugin) {
        var toPlugin: [Int32] = [-1, -1]
        var fromPlugin: [Int32] = [-1, -1]
        var termination: [Int32] = [-1, -1]
        clinux_pipe_cloexec(&toPlugin)
        clinux_pipe_cloexec(&fromPlugin)
        clinux_pipe_cloexec(&termination)
        conversation = Conversation(input: toPlugin[1], output: fromPlugin[0])
        terminationWriter = termination[1]
        let (input, output, signal) = (toPlugin[0], fromPlugin[1], termination[0])
        thread = WorkerThread(name: "plugin") {
            plugin.serve(input: input, output: output, termination: signal)
            close(input)
            close(output)
            close(signal)
        }
    }

    deinit { close(terminationWriter) }

    /// As SIGTERM does.
    func terminate() { _ = write(terminationWriter, "x", 1) }

    /// Waits until the plugin returned.
    func join() throws { try thread.join() }
}
