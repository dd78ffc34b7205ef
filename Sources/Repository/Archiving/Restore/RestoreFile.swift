import RepositoryFormat
import Synchronization

/// A file that is being written: its blobs come from several packs, in any order, by several threads.
final class RestoreFile: Sendable {
    private struct State {
        var remaining: Int
        var isCreated: Bool
        var isFailed = false
        var otherNames: [[UInt8]] = []
    }

    let path: [UInt8]
    let node: TreeNode
    private let state: Mutex<State>

    init(path: [UInt8], node: TreeNode, blobCount: Int, isCreated: Bool) {
        self.path = path
        self.node = node
        state = Mutex(State(remaining: blobCount, isCreated: isCreated))
    }

    /// Runs `create` unless the file exists already.
    func createOnce(_ create: () throws -> Void) rethrows {
        try state.withLock { state in
            guard !state.isCreated else { return }
            try create()
            state.isCreated = true
        }
    }

    /// Counts one blob down.
    ///
    /// - Returns: true for the last one of a file without failures: its metadata can be set.
    func finishBlob() -> Bool {
        state.withLock { state in
            state.remaining -= 1
            return state.remaining == 0 && !state.isFailed
        }
    }

    /// Notes that the file cannot be completed.
    ///
    /// - Returns: true the first time.
    func fail() -> Bool {
        state.withLock { state in
            defer { state.isFailed = true }
            return !state.isFailed
        }
    }

    /// Notes one more hard link to the file.
    func addName(_ path: [UInt8]) { state.withLock { $0.otherNames.append(path) } }

    /// All names that the file has; none may be left with half a content.
    var names: [[UInt8]] { state.withLock { [path] + $0.otherNames } }

    /// True after ``fail()``.
    var isFailed: Bool { state.withLock { $0.isFailed } }
}

/// One place where a blob belongs.
struct BlobUse {
    /// Number of the pack in the plan.
    var pack: UInt32
    var blob: PackedBlob
    /// Number of the file in the plan.
    var file: UInt32
    var fileOffset: UInt64
}
