package import Repository
package import RepositoryFormat
package import Threads

/// Visits the entries of a tree depth first: a directory before what is in it, names in the order of their bytes.
///
/// A stack of its own makes it independent of how deep the tree is. One instance belongs to one thread.
package final class SnapshotWalk {
    /// An entry and where it stands.
    package struct Entry {
        /// Absolute within the snapshot: `/etc/passwd`.
        package let path: [UInt8]
        package let node: TreeNode
        /// The tree that lists the entry.
        package let tree: ObjectID
    }

    private struct Frame {
        let tree: ObjectID
        let nodes: [TreeNode]
        let path: [UInt8]
        var position = 0
    }

    private let loader: BlobLoader
    private let cancellation: Cancellation

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository, cancellation: Cancellation) throws {
        loader = try BlobLoader(repository)
        self.cancellation = cancellation
    }

    /// Visits everything below a tree.
    ///
    /// - Parameters:
    ///   - path: of the root, without a slash at the end; empty for the top of a snapshot.
    ///   - leave: told of each tree when everything below it was visited.
    ///   - unreadable: told of each tree that is missing or damaged; it is passed over unless this throws.
    ///   - visit: returns whether to go into the entry, if it is a directory.
    package func run(
        root: ObjectID, path: [UInt8] = [], unreadable: (ObjectID, [UInt8], any Error) throws -> Void = { throw $2 },
        leave: (ObjectID) throws -> Void = { _ in }, visit: (Entry) throws -> Bool
    ) throws {
        var stack: [Frame] = []
        func enter(_ tree: ObjectID, _ path: [UInt8]) throws {
            try cancellation.check()
            do {
                stack.append(Frame(tree: tree, nodes: try loader.loadTree(tree), path: path))
            } catch let error as RepositoryError {
                try unreadable(tree, path, error)
            }
        }
        try enter(root, path)
        while let frame = stack.last {
            guard frame.position < frame.nodes.count else {
                stack.removeLast()
                try leave(frame.tree)
                continue
            }
            stack[stack.count - 1].position += 1
            let node = frame.nodes[frame.position]
            let entry = Entry(path: frame.path + [0x2F] + node.name, node: node, tree: frame.tree)
            if try visit(entry), let subtree = node.subtree, node.kind == .dir { try enter(subtree, entry.path) }
        }
    }
}
