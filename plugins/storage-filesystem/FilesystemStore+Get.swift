import CLinux
import Glibc
import PluginKit

extension FilesystemStore {
    func get(_ parameters: StorageGetParameters, _ call: CallContext) throws -> GetResult {
        let key = parameters.key
        guard let parent = try existingParent(of: key),
            let source = try Descriptor.open(
                key.lastSegment, in: parent.number, flags: O_RDONLY | O_NONBLOCK, naming: path(of: key))
        else { throw PluginFailure.notFound(key) }
        let status = try source.status(naming: path(of: key))
        guard status.isRegularFile else { throw PluginFailure.notFound(key) }
        let range = try Self.range(of: parameters, size: status.byteCount)
        let target = try Self.openTarget(parameters.path)
        try send(range, of: source, to: target, key, call)
        return GetResult(size: range.upperBound - range.lowerBound)
    }

    /// - Throws: `invalidRange` when the range reaches beyond `size`.
    private static func range(of parameters: StorageGetParameters, size: Int64) throws -> Range<Int64> {
        let offset = parameters.offset ?? 0
        guard offset <= size, let length = Optional(parameters.length ?? size - offset), length <= size - offset else {
            throw PluginFailure.invalidRange(parameters.key, size: size)
        }
        return offset..<offset + length
    }

    /// A file is made or emptied; a FIFO must have its reader already, else this would wait for ever.
    private static func openTarget(_ path: SpoolPath) throws -> Descriptor {
        let number = clinux_open(
            path.text, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        guard number >= 0 else {
            if errno == ENXIO { throw PluginFailure.unavailable("nobody reads the FIFO '\(path)'") }
            throw PluginFailure.system("write to '\(path)'", errno: errno)
        }
        return Descriptor(number)
    }

    private func send(
        _ range: Range<Int64>, of source: borrowing Descriptor, to target: borrowing Descriptor, _ key: ObjectKey,
        _ call: CallContext
    ) throws {
        var offset = off_t(range.lowerBound)
        while offset < range.upperBound {
            try call.checkCancellation()
            let count = sendfile(target.number, source.number, &offset, min(Int(range.upperBound) - offset, 8 << 20))
            if count > 0 { continue }
            if count == 0 {
                throw PluginFailure.integrity("the file '\(path(of: key))' became shorter while it was read")
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // The reader of the FIFO is slow; wake up now and then to see whether the call was cancelled.
                var poll = pollfd(fd: target.number, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, 200)
            case EPIPE: throw PluginFailure.unavailable("the reader of the object '\(key)' went away")
            case let code: throw PluginFailure.system("copy '\(path(of: key))'", errno: code)
            }
        }
    }
}
