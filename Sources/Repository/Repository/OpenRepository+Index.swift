import ObjectStorage
package import RepositoryFormat
import Synchronization
package import Threads

extension OpenRepository {
    /// Reads all index files into ``index``, several at once.
    ///
    /// - Throws: the first damaged index as ``RepositoryError/Code/damaged``; errors of the store.
    package func loadIndex(cancellation: Cancellation) throws {
        try forEachIndexedPack(cancellation: cancellation) { _, pack, blobs in
            self.index.insert(pack: pack, blobs: blobs)
        }
        if let cache {
            let packs = index.packs
            cache.keepOnly(.pack) { packs[$0] != nil }
        }
    }

    /// Calls `body`, from several threads, with each pack of each index file.
    package func forEachIndexedPack(
        cancellation: Cancellation,
        _ body: @escaping @Sendable (_ index: ObjectID, _ pack: ObjectID, [PackedBlob]) -> Void
    ) throws {
        try forEachConcurrently(try indexIDs(), cancellation: cancellation, name: "index") { id in
            let bytes = try self.loadUnpacked(.index, id)
            do {
                try bytes.withUnsafeBytes { bytes in
                    try IndexDocument.forEachPack(in: bytes) { pack, blobs in body(id, pack, blobs) }
                }
            } catch {
                throw RepositoryError.damaged("The index \(id.hexadecimal)", cause: error)
            }
        }
    }

    /// The ids of all index files, such as ``confirmIndex()`` can vouch for.
    private func indexIDs() throws -> [ObjectID] {
        while true {
            let isSettling = gate.isSettling
            let ids = try ids(of: .index)
            if isSettling { earlyIndexes.withLock { $0.formUnion(ids) } }
            // A lock that became certain in between has not seen this list: then there is a younger one.
            guard gate.isSettling == isSettling else { continue }
            if let cache {
                let alive = Set(ids)
                cache.keepOnly(.index) { alive.contains($0) }
            }
            return ids
        }
    }

    /// Proves that what was loaded before the lock was certain is still true.
    ///
    /// Only who holds an exclusive lock removes packs, and it first replaces every index file that names one of them. So
    /// when all index files still stand, nobody removed anything that they tell of.
    ///
    /// - Throws: ``RepositoryError/Code/locked`` when one is gone; errors of the store.
    func confirmIndex() throws {
        let loaded = earlyIndexes.withLock { $0 }
        guard !loaded.isEmpty else { return }
        guard try loaded.isSubset(of: ids(of: .index)) else { throw RepositoryError.changedWhileOpening }
    }

    /// Runs `body` for each element on as many threads as the store has connections, at least two.
    ///
    /// - Parameter threadLimit: fewer threads than that where they would wait for each other on this side.
    /// - Throws: the first error; the other threads stop at their next element.
    package func forEachConcurrently<Element: Sendable>(
        _ elements: [Element], cancellation: Cancellation, name: String, threadLimit: Int = .max,
        _ body: @escaping @Sendable (Element) throws -> Void
    ) throws {
        let next = Condition((position: 0, failure: (any Error)?.none))
        let count = min(max(2, min(store.connectionCount, threadLimit)), elements.count)
        let threads = (0..<count).map { number in
            WorkerThread(name: "\(name)-\(number)") {
                while !cancellation.isCancelled {
                    let position = next.withLock { state -> Int in
                        defer { state.position += 1 }
                        return state.failure == nil ? state.position : elements.count
                    }
                    guard position < elements.count else { return }
                    do { try body(elements[position]) } catch {
                        next.withLock { $0.failure = $0.failure ?? error }
                    }
                }
            }
        }
        for thread in threads { try thread.join() }
        if let failure = next.withLock({ $0.failure }) { throw failure }
        try cancellation.check()
    }
}
