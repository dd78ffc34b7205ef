import Repository
import RepositoryFormat
import Synchronization

/// A directory whose tree is being put together: complete when all its entries are.
///
/// Entries are encoded as soon as all before them are, so that a directory of a million entries takes the memory of its
/// tree and not that of a million nodes.
final class DirectoryJob: Sendable {
    private enum Entry {
        /// Left out, or encoded already.
        case nothing
        case expected
        case complete(TreeNode)
        /// As it stands in the tree of the previous snapshot.
        case encoded([UInt8])
    }

    private struct State {
        /// The tree of all entries before slot `first`.
        var tree: [UInt8]
        var first = 0
        /// The entries from slot `first` to where the walk is, the first at `head`.
        var entries: [Entry] = []
        var head = 0
        /// Entries that are not complete, and one for the walk itself while it lists the directory.
        var pending = 1
        var node: TreeNode

        /// Puts an entry in its slot; slots that were passed over are left out.
        mutating func put(_ entry: Entry, slot: Int) {
            if entries.count == head {
                first = max(first, slot)
                if case .complete(let node) = entry {
                    TreeEncoding.append(node, to: &tree)
                    first += 1
                    return
                }
            }
            while entries.count - head <= slot - first { entries.append(.nothing) }
            entries[head + slot - first] = entry
            encode()
        }

        /// Puts an entry that is encoded already.
        mutating func put(encoded node: ArraySlice<UInt8>, slot: Int) {
            guard slot >= first, entries.count - head == 0 else { return put(.encoded(Array(node)), slot: slot) }
            TreeEncoding.append(encoded: node, to: &tree)
            first = slot + 1
        }

        /// Encodes what all before it are complete.
        private mutating func encode() {
            scan: while head < entries.count {
                switch entries[head] {
                case .expected: break scan
                case .complete(let node):
                    TreeEncoding.append(node, to: &tree)
                    entries[head] = .nothing
                case .encoded(let node):
                    TreeEncoding.append(encoded: node[...], to: &tree)
                    entries[head] = .nothing
                case .nothing: break
                }
                head += 1
                first += 1
            }
            if head == entries.count {
                entries.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 1024, head * 2 > entries.count {
                entries.removeFirst(head)
                head = 0
            }
        }
    }

    /// Where the finished node belongs; nil for the root of a walk.
    let parent: (job: DirectoryJob, slot: Int)?
    /// What the previous snapshot had here, proven by its id.
    let previous: (id: ObjectID, bytes: [UInt8])?
    private let state: Mutex<State>

    init(
        node: TreeNode, entryCount: Int, parent: (job: DirectoryJob, slot: Int)?,
        previous: (id: ObjectID, bytes: [UInt8])? = nil
    ) {
        self.parent = parent
        self.previous = previous
        state = Mutex(State(tree: TreeEncoding.begin(reserving: entryCount), node: node))
    }

    /// Announces that the entry of a slot will be completed later. The walk announces or sets entries in the order of
    /// their slots, and leaves out the slots of what is not kept.
    func expectEntry(slot: Int) {
        state.withLock { state in
            state.pending += 1
            state.put(.expected, slot: slot)
        }
    }

    /// Completes an announced entry; nil leaves it out.
    ///
    /// - Returns: true when the directory is complete: the caller must finish it.
    func complete(_ node: TreeNode?, slot: Int) -> Bool {
        state.withLock { state in
            state.put(node.map { .complete($0) } ?? .nothing, slot: slot)
            state.pending -= 1
            return state.pending == 0
        }
    }

    /// Sets an entry that needs no work.
    func set(_ node: TreeNode, slot: Int) { state.withLock { $0.put(.complete(node), slot: slot) } }

    /// Sets an entry that stands in another tree just so.
    func set(encoded node: ArraySlice<UInt8>, slot: Int) { state.withLock { $0.put(encoded: node, slot: slot) } }

    /// Ends the walk's own hold; the result is as of ``complete(_:slot:)``.
    func endListing() -> Bool {
        state.withLock { state in
            state.pending -= 1
            return state.pending == 0
        }
    }

    /// The encoded tree, which the job keeps no longer.
    func takeTree() -> [UInt8] {
        state.withLock { state in
            var bytes: [UInt8] = []
            swap(&bytes, &state.tree)
            TreeEncoding.finish(&bytes)
            return bytes
        }
    }

    /// The directory's own node with its tree.
    func finishedNode(subtree: ObjectID) -> TreeNode {
        state.withLock { state in
            state.node.subtree = subtree
            return state.node
        }
    }
}

/// A file whose content is to be saved.
final class FileJob: Sendable {
    let directory: DirectoryHandle
    let name: [UInt8]
    /// Where the finished node belongs; nil for a file that is archived on its own.
    let parent: (job: DirectoryJob, slot: Int)?
    /// Of the file as the walk saw it.
    let node: TreeNode
    /// What the previous snapshot had of this name and kind.
    let isNew: Bool

    init(
        directory: DirectoryHandle, name: [UInt8], parent: (job: DirectoryJob, slot: Int)?, node: TreeNode, isNew: Bool
    ) {
        self.directory = directory
        self.name = name
        self.parent = parent
        self.node = node
        self.isNew = isNew
    }
}

/// The chunks of one file or stream on their way, complete when all are saved.
final class ContentJob: Sendable {
    private struct State {
        var ids: [ObjectID?] = []
        var saved = 0
        var isWholeKnown = false
        var byteCount: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Runs once, on the thread that completes the content.
    private let completion: @Sendable (_ ids: [ObjectID], _ byteCount: UInt64, BlobSaver.Worker) throws -> Void

    init(completion: @escaping @Sendable (_ ids: [ObjectID], _ byteCount: UInt64, BlobSaver.Worker) throws -> Void) {
        self.completion = completion
    }

    /// Announces the next chunk.
    ///
    /// - Returns: its number.
    func announce(byteCount: Int) -> Int {
        state.withLock { state in
            state.ids.append(nil)
            state.byteCount += UInt64(byteCount)
            return state.ids.count - 1
        }
    }

    /// Announces `count` chunks of `byteCount` bytes each that are saved: those of a hole.
    ///
    /// Only before ``end(_:)``.
    func add(_ id: ObjectID, byteCount: Int, count: Int) {
        state.withLock { state in
            state.ids.append(contentsOf: repeatElement(Optional(id), count: count))
            state.saved += count
            state.byteCount += UInt64(byteCount) * UInt64(count)
        }
    }

    /// Notes a saved chunk.
    func save(_ id: ObjectID, number: Int, _ worker: BlobSaver.Worker) throws {
        let isComplete = state.withLock { state in
            state.ids[number] = id
            state.saved += 1
            return state.isWholeKnown && state.saved == state.ids.count
        }
        if isComplete { try complete(worker) }
    }

    /// Says that no further chunk comes.
    func end(_ worker: BlobSaver.Worker) throws {
        let isComplete = state.withLock { state in
            state.isWholeKnown = true
            return state.saved == state.ids.count
        }
        if isComplete { try complete(worker) }
    }

    private func complete(_ worker: BlobSaver.Worker) throws {
        let (ids, byteCount) = state.withLock { ($0.ids.compactMap { $0 }, $0.byteCount) }
        try completion(ids, byteCount, worker)
    }
}
