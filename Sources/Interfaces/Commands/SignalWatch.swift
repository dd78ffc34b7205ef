import CLinux
import Glibc
import Synchronization
import Threads

/// Turns Ctrl-C and a polite kill into a cancellation, so that every application is released before the end.
enum SignalWatch {
    private static let received = Atomic<Int32>(0)
    private static let watcher = Mutex<WorkerThread?>(nil)

    /// The first signal that asked for the end; nil when none did.
    static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Watches SIGINT, SIGTERM and SIGHUP from now on. Handlers, not ignored signals: those would be inherited by the
    /// programs that are started.
    static func install(_ cancellation: Cancellation, _ terminal: Terminal) {
        clinux_survive_broken_pipes()
        let descriptor = clinux_termination_descriptor()
        guard descriptor >= 0 else { return }
        watcher.withLock { watcher in
            guard watcher == nil else { return }
            watcher = WorkerThread(name: "signals") { watch(descriptor, cancellation, terminal) }
        }
    }

    private static func watch(_ descriptor: Int32, _ cancellation: Cancellation, _ terminal: Terminal) {
        var times = 0
        while true {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, -1) == 1 else { continue }
            var byte: UInt8 = 0
            guard read(descriptor, &byte, 1) == 1 else { continue }
            let number = Int32(byte)
            times += 1
            switch times {
            case 1:
                received.store(number, ordering: .relaxed)
                terminal.remark(
                    "stopping, and releasing every application; three times leaves that to the next stillpoint command")
                cancellation.cancel(.signal(number))
            case 2: terminal.remark("still stopping; once more ends it at once")
            default: _exit(128 + number)
            }
        }
    }
}
