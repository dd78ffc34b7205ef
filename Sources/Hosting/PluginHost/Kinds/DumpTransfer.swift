import CLinux
import Glibc

/// The host's side of one dump: what comes through a FIFO goes to a consumer.
final class DumpTransfer {
    let wake: EventDescriptor
    private var input: StreamInput
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SourcePlugin.bufferByteCount, alignment: 16)
    /// How many bytes were consumed.
    private(set) var byteCount: Int64 = 0
    /// What the consumer threw; bytes that come afterwards are dropped, so that the plugin can end.
    private(set) var failure: (any Error)?
    /// The last read(2) found neither bytes nor a writer.
    private var isAtEnd = false

    init(_ path: String, _ label: String) throws {
        do {
            wake = try EventDescriptor()
            input = try StreamInput(path)
        } catch { throw PluginHostError.spool("no FIFO can be made for \(label)", cause: error) }
    }

    deinit { buffer.deallocate() }

    /// Closes and removes the FIFO.
    func remove() { input.remove() }

    /// Waits for bytes or the answer, at most `limit`, and hands over what is there.
    func step(_ limit: Duration, _ consume: (UnsafeRawBufferPointer) throws -> Void) {
        guard input.wait(limit, wake: wake) else { return }
        _ = moveOnce(consume)
    }

    /// After the answer: hands over the rest, from the FIFO or from a file that took its place.
    func finish(
        announced: Int64, drain: Duration, _ consume: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let end = ContinuousClock.now + drain
        while true {
            while moveOnce(consume) {}
            let now = ContinuousClock.now
            guard byteCount < announced, failure == nil, !isAtEnd, now < end else { break }
            _ = input.wait(end - now, wake: wake)
        }
        if byteCount == 0, announced > 0, failure == nil { try consumeFile(consume) }
    }

    /// - Returns: whether bytes came.
    private func moveOnce(_ consume: (UnsafeRawBufferPointer) throws -> Void) -> Bool {
        let count = read(input.number, buffer.baseAddress, buffer.count)
        isAtEnd = count == 0
        guard count > 0 else { return false }
        input.noteBytes()
        hand(over: UnsafeRawBufferPointer(rebasing: buffer[..<count]), consume)
        return true
    }

    private func hand(
        over bytes: UnsafeRawBufferPointer, _ consume: (UnsafeRawBufferPointer) throws -> Void
    ) {
        guard failure == nil else { return }
        do {
            try consume(bytes)
            byteCount += Int64(bytes.count)
        } catch { failure = error }
    }

    /// Some tools write a temporary file and rename it over the FIFO.
    private func consumeFile(_ consume: (UnsafeRawBufferPointer) throws -> Void) throws {
        // No file there either: then the dump is empty, and its size says the rest.
        guard let file = try? SpoolFile(input.path) else { return }
        while byteCount < file.size, failure == nil {
            let count = Int(min(file.size - byteCount, Int64(buffer.count)))
            let bytes = try file.bytes(offset: byteCount, count: count)
            bytes.withUnsafeBytes { hand(over: $0, consume) }
        }
    }
}
