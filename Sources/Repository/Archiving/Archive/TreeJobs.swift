import Repository
import RepositoryFormat
import Synchronization

/// A directory whose tree is being put together: complete when all its entries are.
final class DirectoryJob: Sendable {
    private struct State {
        var children: [TreeNode?]
        /// Entries that are not complete, and one for the walk itself while it lists the directory.
        var pending = 1
        var node: TreeNode
    }

    /// Where the finished node belongs; nil for the root of a walk.
    let parent: (job: DirectoryJob, slot: Int)?
    private let state: Mutex<State>

    init(node: TreeNode, entryCount: Int, parent: (job: DirectoryJob, slot: Int)?) {
        self.parent = parent
        state = Mutex(State(children: Array(repeating: nil, count: entryCount), node: node))
    }

    /// Announces an entry that will be completed later.
    func expectEntry() { state.withLock { $0.pending += 1 } }

    /// Completes an announced entry; nil leaves it out.
    ///
    /// - Returns: true when the directory is complete: the caller must finish it.
    func complete(_ node: TreeNode?, slot: Int) -> Bool {
        state.withLock { state in
            state.children[slot] = node
            state.pending -= 1
            return state.pending == 0
        }
    }

    /// Sets an entry that needs no work.
    func set(_ node: TreeNode, slot: Int) { state.withLock { $0.children[slot] = node } }

    /// Ends the walk's own hold; the result is as of ``complete(_:slot:)``.
    func endListing() -> Bool {
        state.withLock { state in
            state.pending -= 1
            return state.pending == 0
        }
    }

    /// The encoded tree; the entries are dropped.
    func takeTree() -> [UInt8] {
        state.withLock { state in
            var bytes = TreeEncoding.begin(reserving: state.children.count)
            for child in state.children { if let child { TreeEncoding.append(child, to: &bytes) } }
            TreeEncoding.finish(&bytes)
            state.children = []
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
