import Chunking
import Glibc
import Repository

/// Cuts a stream of bytes into chunks, each in a pooled buffer of its own.
///
/// Bytes are read straight into the buffer in which they are scanned and later hashed. What was read beyond a cut moves
/// to the next buffer: at most one read's worth.
struct ChunkFeeder {
    /// How much is read beyond what was scanned.
    private static let readByteCount = 512 << 10

    private let chunker: Chunker
    private let pool: BufferPool
    private var buffer: RawBuffer
    private var filled = 0
    private var scanned = 0

    /// - Returns: nil when the pool was aborted.
    init?(chunker: Chunker, pool: BufferPool) {
        guard let buffer = pool.take() else { return nil }
        self.chunker = chunker
        self.pool = pool
        self.buffer = buffer
    }

    /// Where to put the next bytes; never empty.
    var space: UnsafeMutableRawBufferPointer {
        // Up to the shortest chunk nothing is scanned: read that far at once.
        let end = max(Chunker.minimumByteCount, filled) + Self.readByteCount
        return UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled..<min(end, Chunker.maximumByteCount)])
    }

    /// Says that `count` bytes were put into ``space``; emits each chunk that is complete.
    ///
    /// - Parameter emit: takes over the buffer, whose first `count` bytes are the chunk.
    /// - Returns: false when the pool was aborted.
    mutating func advance(_ count: Int, emit: (RawBuffer, _ count: Int) throws -> Void) rethrows -> Bool {
        filled += count
        while let cut = chunker.cut(in: UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<filled]), from: scanned) {
            guard let next = pool.take() else { return false }
            let rest = filled - cut
            next.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[cut..<filled]))
            let full = buffer
            buffer = next
            filled = rest
            scanned = 0
            try emit(full, cut)
        }
        scanned = filled
        return true
    }

    /// Bytes behind the last cut.
    var pendingByteCount: Int { filled }

    /// Forgets the bytes behind the last cut: their owner knows which chunk they begin.
    mutating func drop() {
        filled = 0
        scanned = 0
    }

    /// Emits what is left, if anything, and ends the feeder.
    mutating func finish(emit: (RawBuffer, _ count: Int) throws -> Void) rethrows {
        if filled > 0 { try emit(buffer, filled) } else { pool.give(buffer) }
    }

    /// Gives the buffer back after a failure.
    func abandon() { pool.give(buffer) }
}
