import ObjectStorage
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Makes the index say again what the packs hold, from the packs' own headers.
///
/// The repository must be locked exclusively; its index need not be loaded. An entry goes only when its pack is gone or
/// its pack's header says otherwise; a pack whose header cannot be read keeps what the index says of it, because
/// `repair packs` salvages its blobs by that.
package struct IndexRepair: Sendable {
    /// What is to be done, and why.
    package struct Plan: Sendable {
        /// Index files that cannot be read and will be removed, and why.
        package var unreadableIndexes: [(id: ObjectID, reason: String)] = []
        /// Packs that the index names and the store lacks: their entries go.
        package var missingPacks: [ObjectID] = []
        /// Packs that no index named, with the blobs of their headers.
        package var addedPacks: [(id: ObjectID, blobs: [PackedBlob])] = []
        /// Packs of which the index said something else than their headers.
        package var correctedPacks: [(id: ObjectID, blobs: [PackedBlob])] = []
        /// Packs whose headers cannot be read, and why; what the index says of them stays.
        package var unreadablePacks: [(id: ObjectID, reason: String)] = []
        /// Packs that several index files name.
        package var repeatedPacks: [ObjectID] = []
        /// How many headers were read.
        package var readPackCount = 0
        /// Index files that will be replaced.
        var files: [ObjectID] = []

        /// True when the index is right.
        package var isEmpty: Bool {
            unreadableIndexes.isEmpty && missingPacks.isEmpty && addedPacks.isEmpty && correctedPacks.isEmpty
                && repeatedPacks.isEmpty
        }
    }

    private let repository: OpenRepository
    private let readsAllPacks: Bool
    private let cancellation: Cancellation
    private let progress: @Sendable (_ done: Int, _ total: Int) -> Void

    /// - Parameters:
    ///   - readsAllPacks: read the header of every pack, not only of those that the index does not name or that have
    ///     another size than it says.
    ///   - progress: told of each header that was read.
    package init(
        _ repository: OpenRepository, readsAllPacks: Bool, cancellation: Cancellation,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) {
        self.repository = repository
        self.readsAllPacks = readsAllPacks
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Finds out what is wrong; changes nothing.
    package func plan() throws -> Plan {
        let survey = try IndexSurvey(repository, cancellation: cancellation)
        var plan = Plan()
        plan.unreadableIndexes = survey.unreadable
        plan.missingPacks = survey.packs.keys.filter { survey.stored[$0] == nil }.sorted()
        let toRead = survey.stored.keys.filter { id in
            guard !readsAllPacks, let entry = survey.packs[id] else { return true }
            return entry.isContradictory || Int64(clamping: entry.byteCount) != survey.stored[id]
        }.sorted()
        let headers = try readHeaders(toRead, survey.stored)
        plan.readPackCount = toRead.count
        for (id, header) in zip(toRead, headers) {
            switch header {
            case .failure(let reason): plan.unreadablePacks.append((id, reason.text))
            case .success(let blobs):
                guard let entry = survey.packs[id] else {
                    plan.addedPacks.append((id, blobs))
                    continue
                }
                if entry.isContradictory || !entry.isEqual(to: PackTable.Entry(blobs)) {
                    plan.correctedPacks.append((id, blobs))
                }
            }
        }
        let dropped = Set(plan.missingPacks + plan.correctedPacks.map(\.id))
        let unreadable = Set(plan.unreadablePacks.map(\.id))
        // Two index files that disagree on a pack that cannot be read are both kept: either may be right.
        plan.repeatedPacks = survey.packs.filter { id, entry in
            entry.listings > 1 && !dropped.contains(id) && !(entry.isContradictory && unreadable.contains(id))
        }.keys.sorted()
        let touched = dropped.union(plan.repeatedPacks)
        plan.files = survey.files.filter { $0.packs.contains { touched.contains($0) } }.map(\.id)
        return plan
    }

    /// Carries a plan out: writes new index files, then removes old ones.
    package func execute(_ plan: Plan) throws {
        try repository.requireWritable()
        let dropped = Set(plan.missingPacks + plan.correctedPacks.map(\.id))
        let repeated = Set(plan.repeatedPacks)
        var seen: Set<ObjectID> = []
        var rewriting = IndexRewriting(repository, cancellation: cancellation)
        try rewriting.take(from: plan.files) { pack in
            guard !dropped.contains(pack) else { return false }
            return !repeated.contains(pack) || seen.insert(pack).inserted
        }
        for (id, blobs) in plan.correctedPacks + plan.addedPacks { try rewriting.add(id, blobs) }
        try rewriting.finish(removing: plan.files + plan.unreadableIndexes.map(\.id))
    }

    private struct Reason: Error { let text: String }

    private func readHeaders(
        _ ids: [ObjectID], _ sizes: [ObjectID: Int64]
    ) throws -> [Swift.Result<[PackedBlob], Reason>] {
        let headers = Mutex([Swift.Result<[PackedBlob], Reason>](repeating: .success([]), count: ids.count))
        let next = Atomic(0)
        let done = Atomic(0)
        let count = min(ids.count, max(2, min(repository.store.connectionCount, 8)))
        try runWorkers(count: count, name: "headers") {
            let loader = try BlobLoader(repository)
            while true {
                try cancellation.check()
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < ids.count else { return }
                let id = ids[position]
                let result: Swift.Result<[PackedBlob], Reason>
                do { result = .success(try loader.header(of: id, packByteCount: sizes[id] ?? 0)) } catch {
                    guard BlobLoader.isDamage(error) else {
                        next.store(ids.count, ordering: .relaxed)
                        throw error
                    }
                    result = .failure(Reason(text: RepositoryCheck.clause(error)))
                }
                headers.withLock { $0[position] = result }
                progress(done.add(1, ordering: .relaxed).newValue, ids.count)
            }
        }
        return headers.withLock { $0 }
    }
}
