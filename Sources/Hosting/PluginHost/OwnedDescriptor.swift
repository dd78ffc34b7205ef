import CLinux
import Glibc
import Synchronization

/// A file descriptor with one owner: closed once, at the latest when the owner is released.
final class OwnedDescriptor: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes over `descriptor`; -1 stands for none.
    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { close() }

    /// The number, for calls made while the owner is alive and nobody closes; -1 once closed.
    var number: Int32 { descriptor.withLock { $0 } }

    /// Hands the number over to another owner; this one has none afterwards.
    func take() -> Int32 {
        descriptor.withLock { number in
            defer { number = -1 }
            return number
        }
    }

    /// Closes it; does nothing the second time.
    func close() {
        descriptor.withLock { number in
            if number >= 0 { _ = Glibc.close(number) }
            number = -1
        }
    }

    /// Opens a file, close-on-exec.
    ///
    /// - Throws: ``SystemCallFailure``.
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws -> OwnedDescriptor {
        while true {
            let number = clinux_open(path, flags | O_CLOEXEC, mode)
            if number >= 0 { return OwnedDescriptor(number) }
            guard errno == EINTR else { throw SystemCallFailure.last("open \(path)") }
        }
    }
}

/// An eventfd(2): a flag that one thread raises and another finds with poll(2).
final class EventDescriptor: Sendable {
    private let descriptor: OwnedDescriptor

    /// - Throws: ``SystemCallFailure`` when the process has no descriptor left.
    init() throws {
        let number = clinux_eventfd()
        guard number >= 0 else { throw SystemCallFailure.last("eventfd") }
        descriptor = OwnedDescriptor(number)
    }

    /// The number to poll; readable while the flag is up.
    var number: Int32 { descriptor.number }

    /// Raises the flag.
    func raise() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full: then the flag is up already.
        _ = write(descriptor.number, &one, MemoryLayout<UInt64>.size)
    }

    /// Takes the flag down.
    func lower() {
        var value: UInt64 = 0
        _ = read(descriptor.number, &value, MemoryLayout<UInt64>.size)
    }
}
