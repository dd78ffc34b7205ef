import ObjectStorage
package import Repository
import RepositoryFormat
import Synchronization
package import Threads

/// Proves that a repository holds what its snapshots need.
package struct RepositoryCheck: Sendable {
    /// How far a check has come.
    package struct Progress: Sendable, Hashable {
        /// The stages in their order; `data` only when data is read.
        package enum Phase: String, Sendable { case index, packs, trees, data }
        /// The stage at work.
        package var phase: Phase
        /// How many of the stage's objects are done: 0 to ``total``.
        package var done: Int
        /// Index files, packs, trees, or packs to read. How many trees there are nobody knows before: 0.
        package var total: Int
    }

    /// What was looked at.
    package struct Result: Sendable, Hashable {
        package var snapshots = 0
        package var packs = 0
        package var blobs = 0
        package var trees = 0
        package var packsRead = 0
        package var bytesRead: UInt64 = 0
        package var findings: [Finding] = []
        /// True without errors; hints do not count.
        package var isClean: Bool { !findings.contains { $0.isError } }
    }

    let repository: OpenRepository
    let subset: DataSubset
    let cancellation: Cancellation
    let progress: @Sendable (Progress) -> Void

    /// The index of the repository must not be loaded: the check reads it.
    ///
    /// - Parameter subset: which packs are read to prove each blob; the structure is always checked.
    package init(
        _ repository: OpenRepository, subset: DataSubset, cancellation: Cancellation,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.repository = repository
        self.subset = subset
        self.cancellation = cancellation
        self.progress = progress
    }

    /// A check that reads all packs or none.
    package init(
        _ repository: OpenRepository, readData: Bool, cancellation: Cancellation,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.init(repository, subset: readData ? .all : .none, cancellation: cancellation, progress: progress)
    }

    /// Runs the check; each finding is collected, none ends it.
    ///
    /// - Throws: when the store cannot be listed or fails otherwise, or on cancellation.
    package func run() throws -> Result {
        var run = CheckRun()
        try readKeys(&run)
        // Snapshots before the index: what a backup adds meanwhile is then in the index we read.
        let snapshots = try repository.snapshots(cancellation: cancellation) { id, error in
            guard BlobLoader.isDamage(error) || error is FormatError else { throw error }
            run.add(.unreadableSnapshot, "The snapshot \(id.hexadecimal) cannot be read: \(Self.clause(error)).", id)
        }
        let packs = try readIndexes(&run)
        let stored = try comparePacks(packs, &run)
        let used = UsedBlobs(count: repository.index.count)
        let trees = try TreeSurvey(repository, used: used, cancellation: cancellation).run(
            roots: snapshots.map(\.record.tree)
        ) { progress(Progress(phase: .trees, done: $0, total: 0)) }
        try readPacks(packs, stored, &run)
        run.addTrees(trees)
        if run.hasDamage {
            let search = try ConcernSearch(repository, cancellation: cancellation)
            run.addLost(repository.index, to: search)
            run.addTrees(to: search)
            if !search.isEmpty { try search.run(snapshots, &run.findings) }
        }
        addHints(packs, used, isComplete: trees.badTrees.isEmpty && !run.hasUnreadableSnapshots, &run)
        return Result(
            snapshots: snapshots.count, packs: packs.count, blobs: repository.index.count, trees: trees.treeCount,
            packsRead: run.packsRead, bytesRead: run.bytesRead,
            findings: run.findings.filter(\.isError) + run.findings.filter { !$0.isError })
    }

    /// An error as a part of a sentence.
    static func clause(_ error: any Error) -> String {
        var text = (error as? RepositoryError)?.statement ?? "\(error)"
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// Reads the indexes, damaged ones as findings.
    private func readIndexes(_ run: inout CheckRun) throws -> [ObjectID: PackTable.Entry] {
        let table = PackTable()
        let ids = try repository.ids(of: .index)
        let done = Atomic(0)
        let failures = Mutex<[(ObjectID, any Error)]>([])
        try repository.forEachConcurrently(ids, cancellation: cancellation, name: "index") { id in
            do {
                let bytes = try repository.loadUnpacked(.index, id)
                try bytes.withUnsafeBytes { bytes in
                    try IndexDocument.forEachPack(in: bytes) { pack, blobs in
                        repository.index.insert(pack: pack, blobs: blobs)
                        table.insert(pack, blobs)
                    }
                }
            } catch {
                guard BlobLoader.isDamage(error) || error is FormatError else { throw error }
                failures.withLock { $0.append((id, error)) }
            }
            let count = done.add(1, ordering: .relaxed).newValue
            progress(Progress(phase: .index, done: count, total: ids.count))
        }
        for (id, error) in failures.withLock({ $0 }).sorted(by: { $0.0 < $1.0 }) {
            run.add(.unreadableIndex, "The index \(id.hexadecimal) cannot be read: \(Self.clause(error)).", id)
        }
        return table.entries
    }

    /// Compares what the index says with what is stored.
    ///
    /// - Returns: the packs that are stored and in the index, and their sizes in the store.
    private func comparePacks(
        _ packs: [ObjectID: PackTable.Entry], _ run: inout CheckRun
    ) throws -> [ObjectID: Int64] {
        var unreferenced: [ObjectID: Int64] = [:]
        for object in try repository.store.list(prefix: ObjectKind.pack.prefix) {
            if let id = ObjectKind.pack.id(of: object.key) { unreferenced[id] = object.size }
        }
        var stored: [ObjectID: Int64] = [:]
        for id in packs.keys.sorted() {
            guard let entry = packs[id] else { continue }
            guard let found = unreferenced.removeValue(forKey: id) else {
                run.add(
                    .missingPack,
                    "The pack \(id.hexadecimal) is missing, and with it \(counted(entry.blobCount, "blob")).", id)
                run.missingPacks.insert(id)
                continue
            }
            stored[id] = found
            if entry.isContradictory {
                run.add(.wrongIndex, "Several indexes place different blobs in pack \(id.hexadecimal).", id)
            } else if UInt64(clamping: found) != entry.byteCount {
                run.add(
                    .wrongPackSize,
                    "The pack \(id.hexadecimal) has \(found) bytes instead of \(entry.byteCount).", id)
                if UInt64(clamping: found) < entry.byteCount { run.cutPacks[id] = found }
            }
        }
        run.unreferenced = (unreferenced.count, unreferenced.values.reduce(0) { $0 &+ max(0, $1) })
        run.resolveMissing(in: repository.index)
        progress(Progress(phase: .packs, done: packs.count, total: packs.count))
        return stored
    }

    private func readPacks(
        _ packs: [ObjectID: PackTable.Entry], _ stored: [ObjectID: Int64], _ run: inout CheckRun
    ) throws {
        var generator = SystemRandomNumberGenerator()
        let chosen = subset.select(from: stored, using: &generator)
        guard !chosen.isEmpty else { return }
        let next = Atomic(0)
        let done = Atomic(0)
        let outcomes = Mutex<[(ObjectID, PackProof.Outcome)]>([])
        let totals = Mutex<UInt64>(0)
        // One thread more than processors: one waits for the store while the others compute.
        try runWorkers(count: min(chosen.count, processorCount + 1), name: "data") {
            let proof = try PackProof(repository)
            while true {
                try cancellation.check()
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < chosen.count else { return }
                let id = chosen[position]
                let outcome: PackProof.Outcome
                do {
                    outcome = try proof.prove(id, size: stored[id] ?? 0, indexed: packs[id]?.blobCount ?? 0)
                } catch {
                    // Nobody needs to read on when the check has failed.
                    next.store(chosen.count, ordering: .relaxed)
                    throw error
                }
                totals.withLock { $0 += UInt64(outcome.byteCount) }
                if !outcome.problems.isEmpty || !outcome.damaged.isEmpty || !outcome.contradictions.isEmpty {
                    outcomes.withLock { $0.append((id, outcome)) }
                }
                let count = done.add(1, ordering: .relaxed).newValue
                progress(Progress(phase: .data, done: count, total: chosen.count))
            }
        }
        try cancellation.check()
        run.packsRead = chosen.count
        run.bytesRead = totals.withLock { $0 }
        for (id, outcome) in outcomes.withLock({ $0 }).sorted(by: { $0.0 < $1.0 }) { run.add(outcome, of: id) }
    }

    private func addHints(
        _ packs: [ObjectID: PackTable.Entry], _ used: UsedBlobs, isComplete: Bool, _ run: inout CheckRun
    ) {
        if run.unreferenced.count > 0 {
            let (count, bytes) = run.unreferenced
            run.add(
                .unreferencedPacks,
                run.findings.contains { [.unreadableIndex, .missingBlob, .damagedTree].contains($0.kind) }
                    ? "\(counted(count, "pack")) with \(bytes) bytes \(be(count)) in no index; what is missing may be in them."
                    : "\(counted(count, "pack")) with \(bytes) bytes \(be(count)) in no index: leftovers of interrupted backups, "
                        + "which cost space only.")
        }
        let repeated = packs.values.count { $0.listings > 1 && !$0.isContradictory }
        if repeated > 0 {
            run.add(.repeatedPacks, "\(counted(repeated, "pack")) \(be(repeated)) in several index files.")
        }
        let mixed = packs.values.count { $0.hasData && $0.hasTrees }
        if mixed > 0 {
            run.add(.mixedPacks, "\(counted(mixed, "pack")) hold\(mixed == 1 ? "s" : "") both trees and data.")
        }
        let duplicates = repository.index.duplicates
        if duplicates.count > 0 {
            run.add(
                .duplicateBlobs,
                "\(counted(duplicates.count, "blob")) with \(duplicates.byteCount) bytes \(be(duplicates.count)) stored more than once."
            )
        }
        guard isComplete else { return }
        let bits = used.snapshot
        var unused = (count: 0, byteCount: UInt64(0))
        repository.index.forEach { number, location in
            guard bits[number >> 6] & 1 << UInt64(number & 63) == 0 else { return }
            unused = (unused.count + 1, unused.byteCount + UInt64(location.blob.length))
        }
        if unused.count > 0 {
            run.add(
                .unusedBlobs,
                "\(counted(unused.count, "blob")) with \(unused.byteCount) bytes \(be(unused.count)) needed by no snapshot."
            )
        }
    }
}

/// "1 pack", "2 packs".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// "is" for one thing, "are" for others.
private func be(_ count: Int) -> String { count == 1 ? "is" : "are" }
