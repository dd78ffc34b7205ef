import Glibc

/// Moves bytes between two descriptors that do not block, one step for each time that one of them is ready.
struct CopyChannel {
    private let source: Int32
    private let target: Int32
    private var pending: ArraySlice<UInt8> = []
    /// The bytes that reached the target.
    private(set) var copied: Int64 = 0
    /// True after the end of the source.
    private(set) var isSourceOver = false
    /// The error that made the target unusable; EPIPE when its reader is gone.
    private(set) var targetError: Int32?

    init(from source: Int32, to target: Int32) {
        self.source = source
        self.target = target
    }

    /// True when nothing is left to do.
    var isOver: Bool { targetError != nil || (isSourceOver && pending.isEmpty) }

    /// What to wait for; nil when over.
    var interest: pollfd? {
        if isOver { return nil }
        return pending.isEmpty
            ? pollfd(fd: source, events: Int16(POLLIN), revents: 0)
            : pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
    }

    /// Reads or writes once, after poll(2) said that ``interest`` is ready.
    mutating func advance() {
        if pending.isEmpty {
            let bytes = [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
                let result = read(source, buffer.baseAddress, buffer.count)
                if result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR) { isSourceOver = true }
                count = max(0, result)
            }
            pending = bytes[...]
            // The target is usually ready as well.
            guard !pending.isEmpty else { return }
        }
        let count = pending.withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
        if count >= 0 {
            copied += Int64(count)
            pending = pending.dropFirst(count)
        } else if errno != EAGAIN, errno != EINTR {
            targetError = errno
        }
    }
}
