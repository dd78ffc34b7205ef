import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

/// Pruning a store without room: in steps of which each needs little and frees more.
///
/// The reserve goes first. Then index files are replaced one by one, smallest first, and a pack goes as soon as no
/// index names it; that needs the room of one index file. With what has become free, packs of which little is needed
/// are written anew, a few at a time, then more. Each step keeps the order of an ordinary prune, so that it may be
/// killed as well.
extension Prune {
    static func isFull(_ error: any Error) -> Bool { (error as? ObjectStoreError)?.code == .noSpace }

    /// Carries on where an ordinary prune ran out of space.
    ///
    /// - Throws: the `noSpace` error of the store when nothing more can be freed and something should be.
    func executeInSteps(_ plan: PrunePlan) throws {
        try SpaceReserve(repository.store).release()
        var (current, inventory) = try replan(after: plan.inventory) { $0.maximumRepackByteCount = 0 }
        try delete(current.packs.filter { $0.reason == .unindexed })
        try replaceIndexesOneByOne(current, inventory)
        var rounds = Rounds()
        while let limit = try rounds.next() {
            try cancellation.check()
            (current, inventory) = try replan(after: inventory) { $0.maximumRoundByteCount = limit }
            let isRewriting = current.packs.contains { $0.action == .repack }
            do { try executeAtOnce(current) } catch let error where Self.isFull(error) {
                // What this round has stored is in no index, and takes the room that a smaller one needs.
                (current, inventory) = try replan(after: inventory) { $0.maximumRepackByteCount = 0 }
                try delete(current.packs.filter { $0.reason == .unindexed })
                rounds.failed(error)
                continue
            }
            rounds.succeeded(didSomething: isRewriting)
        }
    }

    /// How much each round may write: more after one that succeeded, less after one for which there was no room.
    struct Rounds {
        private static let first: UInt64 = 2 << 20
        private static let smallest: UInt64 = 16 << 10
        /// From this on there is room for everything at once.
        private static let largest: UInt64 = 512 << 20
        private var limit = Rounds.first
        /// What failed since something was freed.
        private var ceiling: (limit: UInt64, error: any Error)?
        private var isDone = false

        /// - Returns: nil when everything was done.
        /// - Throws: the failure of a round when no smaller one is left to try.
        mutating func next() throws -> UInt64? {
            if isDone { return nil }
            if let ceiling, limit >= ceiling.limit || limit < Self.smallest { throw ceiling.error }
            return limit
        }

        mutating func failed(_ error: any Error) {
            // A round without a limit that fails is tried again in parts.
            ceiling = (limit, error)
            limit = min(limit, Self.largest) / 4
        }

        mutating func succeeded(didSomething: Bool) {
            if limit == .max {
                isDone = true
                return
            }
            if didSomething { ceiling = nil }
            limit = limit >= Self.largest ? .max : limit * (didSomething ? 2 : 4)
        }
    }

    /// A plan over what the store has now. What is in use is known already.
    private func replan(
        after old: PackInventory, _ change: (inout PruneOptions) -> Void
    ) throws -> (PrunePlan, PackInventory) {
        var options = options
        change(&options)
        let inventory = try PackInventory(repository, cancellation: cancellation)
        let used = old.tables.withLock { tables in
            tables.blobs.lazy.filter { $0.flags.contains(.used) }.map { ($0.id, $0.flags.contains(.tree)) }
        }
        try inventory.tables.withLock { tables in
            for (id, isTree) in used {
                guard let number = tables.find(id, isTree ? .tree : .data) else {
                    throw MaintenanceError.lostBlob(id, isTree ? .tree : .data)
                }
                tables.blobs[number].flags.insert(.used)
            }
        }
        let prune = Prune(repository, options: options, cancellation: cancellation, progress: progress)
        return (try prune.plan(inventory, snapshots: 0), inventory)
    }

    /// Takes packs that go out of the indexes, file by file, and removes each once no file names it.
    private func replaceIndexesOneByOne(_ plan: PrunePlan, _ inventory: PackInventory) throws {
        let (excluded, files, names) = inventory.tables.withLock { tables -> (Set<UInt32>, [Int], [UInt32: Int]) in
            let excluded = Self.excluded(plan.packs, tables)
            var names: [UInt32: Int] = [:]
            for file in tables.files {
                for pack in Set(file.packs) where excluded.contains(pack) { names[pack, default: 0] += 1 }
            }
            func left(_ number: Int) -> Int { tables.files[number].packs.count { !excluded.contains($0) } }
            let changed = tables.files.indices.filter { tables.files[$0].packs.contains(where: excluded.contains) }
            return (excluded, changed.sorted { (left($0), $0) < (left($1), $1) }, names)
        }
        var openNames = names
        for number in files {
            try cancellation.check()
            let (id, kept, gone) = inventory.tables.withLock { tables in
                let file = tables.files[number]
                let packs = Set(file.packs)
                let kept = packs.subtracting(excluded).map {
                    (id: tables.packs[Int($0)].id, blobs: tables.blobs(of: $0))
                }
                return (file.id, kept, packs.intersection(excluded))
            }
            if !kept.isEmpty {
                let new = try repository.saveUnpacked(.index, IndexDocument.encoded(kept))
                try IndexRewrite.requirePresence(of: new, in: repository)
            }
            try repository.store.delete(ObjectKind.index.key(id))
            for pack in gone {
                openNames[pack, default: 1] -= 1
                guard openNames[pack] == 0 else { continue }
                let id = inventory.tables.withLock { $0.packs[Int(pack)].id }
                try repository.store.delete(ObjectKind.pack.key(id))
            }
        }
    }
}
