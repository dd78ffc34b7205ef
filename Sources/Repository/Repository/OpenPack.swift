import ObjectStorage
import RepositoryCrypto
import RepositoryFormat
import Synchronization

/// A pack that is being filled: blobs are sealed straight into its buffer, several at once.
final class OpenPack: Sendable {
    /// A pack is closed when it has this many bytes: restic's default of 16 MiB.
    static let targetByteCount = 16 << 20
    /// The target, and one more blob of the largest chunk that may come after it.
    static let bufferByteCount = targetByteCount + (8 << 20) + (64 << 10)

    private struct State {
        var blobs: [PackedBlob] = []
        var used = 0
        var writers = 0
        var isClosed = false
        var isHandedOn = false
    }

    let kind: BlobKind
    let buffer: RawBuffer
    /// False for a buffer made for one oversized blob.
    let isPooled: Bool
    private let state = Mutex(State())

    init(kind: BlobKind, buffer: RawBuffer, isPooled: Bool) {
        self.kind = kind
        self.buffer = buffer
        self.isPooled = isPooled
    }

    /// Reserves room for a sealed blob; the caller writes it there and calls ``finishWriting()``.
    ///
    /// - Returns: its offset; nil when the pack has no room left.
    func reserve(_ id: ObjectID, length: Int, uncompressedLength: Int?) -> Int? {
        state.withLock { state in
            guard !state.isClosed, buffer.bytes.count - state.used >= length else { return nil }
            let offset = state.used
            state.used += length
            state.writers += 1
            state.blobs.append(
                PackedBlob(
                    id: id, kind: kind, offset: UInt32(offset), length: UInt32(length),
                    uncompressedLength: uncompressedLength.map { UInt32($0) }))
            return offset
        }
    }

    /// True when it has reached its target.
    var isFull: Bool { state.withLock { $0.used >= Self.targetByteCount } }

    /// True while it holds no blob.
    var isEmpty: Bool { state.withLock { $0.blobs.isEmpty } }

    /// Takes no more blobs.
    ///
    /// - Returns: true when the caller must hand the pack on: nobody writes into it any more.
    func close() -> Bool {
        state.withLock { state in
            state.isClosed = true
            return Self.mustHandOn(&state)
        }
    }

    /// Ends a write that ``reserve(_:length:uncompressedLength:)`` began; the result is as of ``close()``.
    func finishWriting() -> Bool {
        state.withLock { state in
            state.writers -= 1
            return Self.mustHandOn(&state)
        }
    }

    private static func mustHandOn(_ state: inout State) -> Bool {
        guard state.isClosed, state.writers == 0, !state.isHandedOn else { return false }
        state.isHandedOn = true
        return true
    }

    /// The blobs, and how many bytes of the buffer they fill.
    var contents: (blobs: [PackedBlob], byteCount: Int) { state.withLock { ($0.blobs, $0.used) } }
}
