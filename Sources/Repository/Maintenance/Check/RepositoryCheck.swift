import ObjectStorage
package import Repository
import RepositoryFormat
import Synchronization
package import Threads

/// Proves that a repository holds what its snapshots need.
package struct RepositoryCheck: Sendable {
    /// One thing that is wrong, or worth knowing.
    package struct Finding: Sendable, Hashable {
        /// Errors mean that data is missing or damaged; hints cost nothing but space.
        package let isError: Bool
        /// One sentence that names the object.
        package let message: String
    }

    /// How far a check has come.
    package struct Progress: Sendable, Hashable {
        /// The stages in their order; `data` only when the data is read.
        package enum Phase: String, Sendable { case index, packs, snapshots, data }
        /// The stage at work.
        package var phase: Phase
        /// How many of the stage's objects are done: 0 to ``total``.
        package var done: Int
        /// Index files, packs, snapshots, or packs to read.
        package var total: Int
    }

    /// What was looked at.
    package struct Result: Sendable, Hashable {
        package var snapshots = 0
        package var packs = 0
        package var blobs = 0
        package var trees = 0
        package var bytesRead: UInt64 = 0
        package var findings: [Finding] = []
        /// True without errors; hints do not count.
        package var isClean: Bool { !findings.contains { $0.isError } }
    }

    private let repository: OpenRepository
    private let readData: Bool
    private let cancellation: Cancellation
    private let progress: @Sendable (Progress) -> Void
    private let state = CheckState()

    /// - Parameter readData: read every pack and prove each blob, not just the structure.
    package init(
        _ repository: OpenRepository, readData: Bool, cancellation: Cancellation,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.repository = repository
        self.readData = readData
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Runs the check; each finding is collected, none ends it.
    ///
    /// - Throws: when the store cannot be listed, or on cancellation.
    package func run() throws -> Result {
        // Snapshots before the index: what a backup adds meanwhile is then in the index we read.
        let snapshots = try repository.snapshots(cancellation: cancellation) { id, error in
            state.error("The snapshot \(id.hexadecimal) cannot be read: \(error)")
        }
        let packs = try readIndexes()
        try comparePacks(packs)
        try checkSnapshots(snapshots)
        if readData { try readPacks(packs) }
        var result = state.result
        result.snapshots = snapshots.count
        result.packs = packs.count
        result.blobs = repository.index.count
        return result
    }

    /// Reads the indexes, damaged ones as findings; the packs with their blobs, of a pack in several indexes once.
    private func readIndexes() throws -> [ObjectID: [PackedBlob]] {
        let packs = Mutex<[ObjectID: [PackedBlob]]>([:])
        let ids = try repository.ids(of: .index)
        try repository.forEachConcurrently(ids, cancellation: cancellation, name: "index") { id in
            do {
                let bytes = try repository.loadUnpacked(.index, id)
                try bytes.withUnsafeBytes { bytes in
                    try IndexDocument.forEachPack(in: bytes) { pack, blobs in
                        repository.index.insert(pack: pack, blobs: blobs)
                        packs.withLock { $0[pack] = $0[pack] ?? blobs }
                    }
                }
            } catch {
                state.error("The index \(id.hexadecimal) cannot be read: \(error)")
            }
            progress(Progress(phase: .index, done: state.step(.index), total: ids.count))
        }
        return packs.withLock { $0 }
    }

    private func comparePacks(_ packs: [ObjectID: [PackedBlob]]) throws {
        var stored: [ObjectID: Int64] = [:]
        for object in try repository.store.list(prefix: ObjectKind.pack.prefix) {
            if let id = ObjectKind.pack.id(of: object.key) { stored[id] = object.size }
        }
        for (id, size) in repository.index.packs {
            guard let found = stored.removeValue(forKey: id) else {
                state.error("The pack \(id.hexadecimal) is missing, and with it \(packs[id]?.count ?? 0) blobs.")
                continue
            }
            if UInt64(clamping: found) != size {
                state.error("The pack \(id.hexadecimal) has \(found) bytes instead of \(size).")
            }
            for (first, second) in zip(packs[id] ?? [], (packs[id] ?? []).dropFirst()) where first.kind != second.kind {
                state.hint("The pack \(id.hexadecimal) mixes trees and data.")
                break
            }
        }
        if !stored.isEmpty {
            let bytes = stored.values.reduce(Int64(0)) { $0.addingReportingOverflow($1).partialValue }
            state.hint(
                "\(stored.count) packs with \(bytes) bytes are in no index: leftovers of interrupted backups, which cost "
                    + "space only.")
        }
        progress(Progress(phase: .packs, done: packs.count, total: packs.count))
    }

    private func checkSnapshots(_ snapshots: [OpenRepository.Snapshot]) throws {
        let visited = VisitedTrees()
        try repository.forEachConcurrently(snapshots, cancellation: cancellation, name: "trees") { snapshot in
            let walk = try TreeCheck(
                repository, loader: BlobLoader(repository), visited: visited, cancellation: cancellation)
            try walk.run(root: snapshot.record.tree) { path, problem in
                state.error("\(path.isEmpty ? "The root" : path) of snapshot \(snapshot.id.short): \(problem)")
            }
            progress(Progress(phase: .snapshots, done: state.step(.snapshots), total: snapshots.count))
        }
        state.trees(visited.count)
    }

    private func readPacks(_ packs: [ObjectID: [PackedBlob]]) throws {
        let sizes = repository.index.packs
        // Each thread holds a whole pack: two keep both processors of a small machine busy.
        try repository.forEachConcurrently(
            packs.keys.sorted(), cancellation: cancellation, name: "data", threadLimit: 2
        ) { id in
            do {
                try read(id, size: sizes[id], expected: packs[id] ?? [])
            } catch let error as ObjectStoreError where error.code == .cancelled {
                throw error
            } catch {
                state.error("The pack \(id.hexadecimal): \(error)")
            }
            progress(Progress(phase: .data, done: state.step(.data), total: packs.count))
        }
    }

    private func read(_ id: ObjectID, size: UInt64?, expected: [PackedBlob]) throws {
        let key = ObjectKind.pack.key(id)
        let bytes: [UInt8]
        do {
            // With its size known a pack comes into one buffer that fits.
            bytes = try repository.store.get(key, range: size.map { 0..<Int64(clamping: $0) })
        } catch let error as ObjectStoreError where error.code == .invalidRange {
            bytes = try repository.store.get(key, range: nil)
        }
        state.read(bytes.count)
        let loader = try BlobLoader(repository)
        if ObjectID(hashing: bytes) != id {
            // Go on: which blobs are hit is what people need to know.
            state.error("The pack \(id.hexadecimal) does not match its name: its bytes have changed.")
        }
        try bytes.withUnsafeBytes { bytes in
            let header = try loader.header(of: bytes)
            for blob in header {
                let sealed = UnsafeRawBufferPointer(rebasing: bytes[Int(blob.offset)..<Int(blob.offset + blob.length)])
                do { try loader.open(blob, pack: id, sealed: sealed) { _ in } } catch { state.error("\(error)") }
            }
            let listed = Set(header)
            for blob in expected where !listed.contains(blob) {
                state.error(
                    "The index places the blob \(blob.id.hexadecimal) in pack \(id.hexadecimal), whose header does not."
                )
            }
        }
    }
}

/// What a check has found so far, shared by its threads.
private final class CheckState: Sendable {
    private struct Counters {
        var result = RepositoryCheck.Result()
        var steps: [RepositoryCheck.Progress.Phase: Int] = [:]
    }
    private let counters = Mutex(Counters())

    var result: RepositoryCheck.Result { counters.withLock { $0.result } }
    func error(_ message: String) { add(.init(isError: true, message: message)) }
    func hint(_ message: String) { add(.init(isError: false, message: message)) }
    private func add(_ finding: RepositoryCheck.Finding) { counters.withLock { $0.result.findings.append(finding) } }
    func read(_ byteCount: Int) { counters.withLock { $0.result.bytesRead += UInt64(byteCount) } }
    func trees(_ count: Int) { counters.withLock { $0.result.trees = count } }
    func step(_ phase: RepositoryCheck.Progress.Phase) -> Int {
        counters.withLock { counters in
            counters.steps[phase, default: 0] += 1
            return counters.steps[phase] ?? 0
        }
    }
}
