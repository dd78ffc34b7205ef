import CLinux
import Glibc

/// Asks a running command, from any thread, to end. One-way.
package final class StopSignal: Sendable {
    /// Readable once the signal was raised.
    let descriptor: Int32

    /// - Throws: ``PluginFailure`` when the process has no descriptor left.
    package init() throws {
        descriptor = clinux_eventfd()
        guard descriptor >= 0 else { throw PluginFailure.system("make an event descriptor", errno: errno) }
    }

    deinit { close(descriptor) }

    /// Raises the signal; later times change nothing.
    package func raise() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
