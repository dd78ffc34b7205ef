import Repository
import RepositoryFormat
import Synchronization

/// A bit for each blob of an index: whether a snapshot needs it.
final class UsedBlobs: Sendable {
    private let bits: Mutex<[UInt64]>

    /// - Parameter count: blobs in the index, which may not grow meanwhile.
    init(count: Int) { bits = Mutex([UInt64](repeating: 0, count: (count + 63) / 64)) }

    /// Notes blobs by their numbers in the index.
    func insert(_ numbers: [Int]) {
        guard !numbers.isEmpty else { return }
        bits.withLock { bits in
            for number in numbers where number >> 6 < bits.count { bits[number >> 6] |= 1 << UInt64(number & 63) }
        }
    }

    /// Notes blobs by their ids.
    ///
    /// - Parameter missing: called with those that the index does not know.
    /// - Returns: those that were not noted before, in their order.
    func insertNew(
        _ ids: [ObjectID], _ kind: BlobKind, of index: BlobIndex, missing: (ObjectID) -> Void
    ) -> [ObjectID] {
        var numbers: [Int?] = []
        index.lookUp(ids, kind) { _, number, _ in numbers.append(number) }
        var new: [ObjectID] = []
        for (id, number) in zip(ids, numbers) where number == nil { missing(id) }
        bits.withLock { bits in
            for (id, number) in zip(ids, numbers) {
                guard let number, number >> 6 < bits.count else { continue }
                let bit = UInt64(1) << UInt64(number & 63)
                guard bits[number >> 6] & bit == 0 else { continue }
                bits[number >> 6] |= bit
                new.append(id)
            }
        }
        return new
    }

    /// All bits, for a pass over the index.
    var snapshot: [UInt64] { bits.withLock { $0 } }
}
