package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Trees that were looked at already: snapshots share most of theirs.
package final class VisitedTrees: Sendable {
    private let ids = Mutex<Set<ObjectID>>([])

    package init() {}

    /// True the first time.
    func insert(_ id: ObjectID) -> Bool { ids.withLock { $0.insert(id).inserted } }

    /// How many trees were seen.
    package var count: Int { ids.withLock { $0.count } }
}

/// Walks the trees of a snapshot and finds what they need and the repository lacks.
package struct TreeCheck {
    private let repository: OpenRepository
    private let loader: BlobLoader
    private let visited: VisitedTrees
    private let cancellation: Cancellation

    /// - Parameter visited: shared by all walks of one check.
    package init(_ repository: OpenRepository, loader: BlobLoader, visited: VisitedTrees, cancellation: Cancellation) {
        self.repository = repository
        self.loader = loader
        self.visited = visited
        self.cancellation = cancellation
    }

    /// Looks at each tree once; `problem` gets the path of the entry and what is wrong with it.
    package func run(root: ObjectID, problem: (_ path: String, _ problem: String) -> Void) throws {
        // A stack of our own: trees are as deep as file systems allow.
        var stack: [(id: ObjectID, path: String)] = [(root, "")]
        while let (id, path) = stack.popLast() {
            try cancellation.check()
            guard visited.insert(id) else { continue }
            let nodes: [TreeNode]
            do { nodes = try loader.loadTree(id) } catch {
                problem(path, "\(error)")
                continue
            }
            for node in nodes {
                let path = path + "/" + String(decoding: node.name, as: UTF8.self)
                if let subtree = node.subtree { stack.append((subtree, path)) }
                if node.kind == .file { check(node, path, problem) }
            }
        }
    }

    private func check(_ node: TreeNode, _ path: String, _ problem: (String, String) -> Void) {
        guard let content = node.content else { return problem(path, "a file without a list of blobs.") }
        var total: UInt64 = 0
        for id in content {
            guard let size = repository.index.contentByteCount(of: id, .data) else {
                problem(path, "\(RepositoryError.missingBlob(id, .data))")
                return
            }
            total += UInt64(size)
        }
        if total != node.size { problem(path, "its blobs have \(total) bytes, the file has \(node.size).") }
    }
}
