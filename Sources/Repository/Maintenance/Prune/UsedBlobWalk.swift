import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

/// Marks every blob that snapshots need, by walking their trees: each tree once, however many snapshots share it.
///
/// Trees are taken by pack, not by path: what is wanted of a pack waits until a thread has it, so that a pack is
/// fetched once or a few times, never once for each tree.
final class UsedBlobWalk: Sendable {
    /// The root of a snapshot.
    struct Root: Sendable {
        let snapshot: ObjectID
        let tree: ObjectID
    }

    private struct Wanted {
        let blob: UInt32
        /// The number of the root that led here first.
        let root: Int
    }

    private struct Job {
        let pack: UInt32
        let wanted: [Wanted]
        /// The whole pack, when it was fetched before.
        let bytes: [UInt8]?
        /// Whether the whole pack is worth fetching.
        let isFetching: Bool
    }

    private struct State {
        var pending: [UInt32: [Wanted]] = [:]
        var fetching: Set<UInt32> = []
        /// Whole packs, the one used last at the end.
        var cache: [(pack: UInt32, bytes: [UInt8])] = []
        var cachedByteCount = 0
        var tried: Set<UInt32> = []
        var running = 0
        var trees = 0
        var failure: (any Error)?
    }

    private static let cacheByteCount = 64 << 20
    private static let jobTreeCount = 64

    private let repository: OpenRepository
    private let inventory: PackInventory
    private let cancellation: Cancellation
    private let progress: @Sendable (_ trees: Int) -> Void
    private let state = Condition(State())

    init(
        _ repository: OpenRepository, _ inventory: PackInventory, cancellation: Cancellation,
        progress: @escaping @Sendable (_ trees: Int) -> Void
    ) {
        self.repository = repository
        self.inventory = inventory
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Marks what the roots need; what was marked before is not looked at again.
    ///
    /// - Throws: ``MaintenanceError/Code/damaged`` for a tree that cannot be read and a blob that no index names;
    ///   errors of the store; cancellation.
    func mark(_ roots: [Root]) throws {
        var found: [(pack: UInt32, wanted: Wanted)] = []
        try inventory.tables.withLock { tables in
            for (number, root) in roots.enumerated() {
                guard let blob = tables.find(root.tree, .tree) else {
                    throw MaintenanceError.missingBlob(root.tree, .tree, tree: nil, snapshot: root.snapshot)
                }
                Self.want(blob, root: number, &tables, &found)
            }
        }
        state.withLock { Self.append(found, to: &$0) }
        let wake = cancellation.onCancel { [state] in state.withLock { _ in } }
        defer { cancellation.remove(wake) }
        let threads = (0..<max(2, min(repository.store.connectionCount, 4))).map { number in
            WorkerThread(name: "trees-\(number)") { try self.work(roots) }
        }
        var failure: (any Error)?
        for thread in threads {
            do { try thread.join() } catch { failure = failure ?? error }
        }
        if let failure = state.withLock({ $0.failure }) ?? failure { throw failure }
        try cancellation.check()
    }

    private static func want(
        _ blob: Int, root: Int, _ tables: inout PackInventory.Tables, _ found: inout [(pack: UInt32, wanted: Wanted)]
    ) {
        guard !tables.blobs[blob].flags.contains(.used) else { return }
        tables.blobs[blob].flags.insert(.used)
        let wanted = Wanted(blob: UInt32(truncatingIfNeeded: blob), root: root)
        found.append((tables.pack(ofPlace: tables.blobs[blob].place), wanted))
    }

    private static func append(_ found: [(pack: UInt32, wanted: Wanted)], to state: inout State) {
        for (pack, wanted) in found { state.pending[pack, default: []].append(wanted) }
    }

    private func work(_ roots: [Root]) throws {
        let reader = TreeReader(repository, try BlobProof(repository), inventory)
        while let job = take() {
            var found: [(pack: UInt32, wanted: Wanted)] = []
            var bytes = job.bytes
            do {
                if bytes == nil, job.isFetching {
                    bytes = try fetch(job.pack)
                }
                for wanted in job.wanted {
                    try cancellation.check()
                    try read(wanted, bytes, reader, roots, &found)
                }
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
            let trees = state.withLock { state -> Int in
                if job.isFetching { state.fetching.remove(job.pack) }
                state.running -= 1
                state.trees += job.wanted.count
                Self.append(found, to: &state)
                return state.trees
            }
            progress(trees)
        }
    }

    private func fetch(_ pack: UInt32) throws -> [UInt8]? {
        let (id, size) = inventory.tables.withLock { ($0.packs[Int(pack)].id, $0.packs[Int(pack)].byteCount) }
        let bytes: [UInt8]
        do { bytes = try repository.store.get(ObjectKind.pack.key(id), range: 0..<Int64(clamping: size)) } catch let
            error as ObjectStoreError where [.invalidRange, .notFound].contains(error.code)
        {
            // The pack is not what its index says; a tree alone may still be there, or in another pack.
            return nil
        }
        state.withLock { state in
            state.cache.append((pack, bytes))
            state.cachedByteCount += bytes.count
            while state.cachedByteCount > Self.cacheByteCount, state.cache.count > 1 {
                state.cachedByteCount -= state.cache.removeFirst().bytes.count
            }
        }
        return bytes
    }

    /// The next trees of one pack: of one that is at hand, else of that of which most are wanted.
    private func take() -> Job? {
        state.wait { state -> Job?? in
            if state.failure != nil || self.cancellation.isCancelled { return .some(nil) }
            if let position = state.cache.lastIndex(where: { state.pending[$0.pack] != nil }) {
                let entry = state.cache.remove(at: position)
                state.cache.append(entry)
                return self.job(entry.pack, bytes: entry.bytes, &state)
            }
            let best = state.pending.filter { !state.fetching.contains($0.key) }.max { $0.value.count < $1.value.count }
            if let best { return self.job(best.key, bytes: nil, &state) }
            return state.running == 0 ? .some(nil) : nil
        } ?? nil
    }

    private func job(_ pack: UInt32, bytes: [UInt8]?, _ state: inout State) -> Job {
        var wanted = state.pending[pack] ?? []
        let rest = wanted.count > Self.jobTreeCount && bytes != nil ? Array(wanted[Self.jobTreeCount...]) : []
        if !rest.isEmpty { wanted.removeLast(rest.count) }
        state.pending[pack] = rest.isEmpty ? nil : rest
        state.running += 1
        // Of a pack of which one tree was wanted, others will be: its neighbours were written by the same backup.
        let isFetching = bytes == nil && (wanted.count > 1 || state.tried.contains(pack))
        if bytes == nil { state.tried.insert(pack) }
        if isFetching { state.fetching.insert(pack) }
        return Job(pack: pack, wanted: wanted, bytes: bytes, isFetching: isFetching)
    }

    private func read(
        _ wanted: Wanted, _ bytes: [UInt8]?, _ reader: TreeReader, _ roots: [Root],
        _ found: inout [(pack: UInt32, wanted: Wanted)]
    ) throws {
        let root = roots[wanted.root]
        let references: TreeReader.References
        let id = inventory.tables.withLock { $0.blobs[Int(wanted.blob)].id }
        do { references = try reader.references(wanted.blob, pack: bytes) } catch {
            if let error = error as? ObjectStoreError, error.code != .notFound, error.code != .invalidRange {
                throw error
            }
            throw MaintenanceError.unreadableTree(id, snapshot: root.snapshot, cause: error)
        }
        try inventory.tables.withLock { tables in
            for content in references.content {
                guard let blob = tables.find(content, .data) else {
                    throw MaintenanceError.missingBlob(content, .data, tree: id, snapshot: root.snapshot)
                }
                tables.blobs[blob].flags.insert(.used)
            }
            for subtree in references.subtrees {
                guard let blob = tables.find(subtree, .tree) else {
                    throw MaintenanceError.missingBlob(subtree, .tree, tree: id, snapshot: root.snapshot)
                }
                Self.want(blob, root: wanted.root, &tables, &found)
            }
        }
    }
}

/// Reads single trees. One instance belongs to one thread.
private final class TreeReader {
    struct References {
        let content: [ObjectID]
        let subtrees: [ObjectID]
    }

    private let repository: OpenRepository
    private let proof: BlobProof
    private let inventory: PackInventory
    /// Kept for their memory.
    private var content: [ObjectID] = []
    private var subtrees: [ObjectID] = []

    init(_ repository: OpenRepository, _ proof: BlobProof, _ inventory: PackInventory) {
        self.repository = repository
        self.proof = proof
        self.inventory = inventory
    }

    /// What a tree needs.
    ///
    /// - Parameter pack: the whole pack of the tree's place, when it is at hand.
    func references(_ number: UInt32, pack: [UInt8]?) throws -> References {
        let (blob, id, hasCopies) = inventory.tables.withLock { tables in
            let entry = tables.blobs[Int(number)]
            let pack = tables.pack(ofPlace: entry.place)
            return (
                tables.packedBlob(tables.places[Int(entry.place)]), tables.packs[Int(pack)].id, entry.copies > 1
            )
        }
        do {
            let (start, end) = (Int(blob.offset), Int(blob.offset) + Int(blob.length))
            guard let pack, end <= pack.count else { return try fetched(blob, id) }
            return try pack.withUnsafeBytes {
                try parse(blob, UnsafeRawBufferPointer(rebasing: $0[start..<end]))
            }
        } catch let error where hasCopies && !(error is CancellationFailure) {
            for (other, pack) in inventory.copies(of: number) where pack != id {
                if let references = try? fetched(other, pack) { return references }
            }
            throw error
        }
    }

    private func fetched(_ blob: PackedBlob, _ pack: ObjectID) throws -> References {
        let range = Int64(blob.offset)..<Int64(blob.offset) + Int64(blob.length)
        return try repository.store.get(ObjectKind.pack.key(pack), range: range).withUnsafeBytes { try parse(blob, $0) }
    }

    private func parse(_ blob: PackedBlob, _ sealed: UnsafeRawBufferPointer) throws -> References {
        content.removeAll(keepingCapacity: true)
        subtrees.removeAll(keepingCapacity: true)
        try proof.open(blob, sealed: sealed) { opened in
            try TreeDecoding.references(opened.content, content: &content, subtrees: &subtrees)
        }
        return References(content: content, subtrees: subtrees)
    }
}

extension PackInventory {
    /// All places of a blob, with their packs. Looks at every place there is: for the rare blob that cannot be read.
    func copies(of number: UInt32) -> [(blob: PackedBlob, pack: ObjectID)] {
        tables.withLock { tables in
            tables.places.indices.filter { tables.places[$0].blob == number }.map { index in
                let pack = tables.pack(ofPlace: UInt32(truncatingIfNeeded: index))
                return (tables.packedBlob(tables.places[index]), tables.packs[Int(pack)].id)
            }
        }
    }
}
