import Dispatch
import Glibc
import Synchronization
import Threads

/// Turns Ctrl-C and a polite kill into a cancellation, so that every application is released before the end.
enum SignalWatch {
    // Safe: written by the one call of `install` that each command makes, before it starts any thread.
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
    private static let count = Atomic<Int>(0)

    /// Watches SIGINT, SIGTERM and SIGHUP from now on.
    static func install(_ cancellation: Cancellation, _ terminal: Terminal) {
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let times = count.wrappingAdd(1, ordering: .relaxed).newValue
                switch times {
                case 1:
                    terminal.remark(
                        "stopping: releasing every application; once more to be told again, three times to give up")
                    cancellation.cancel(.signal(number))
                case 2: terminal.remark("still releasing; once more leaves the release to the next stillpoint command")
                default: _exit(128 + number)
                }
            }
            source.activate()
            sources.append(source)
        }
    }
}
