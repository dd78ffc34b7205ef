import Repository
import RepositoryFormat
import Threads

/// What restores of snapshots would write. A tree without hard links is summed up once, however many snapshots have it.
struct RestoreSizes {
    struct Size {
        var entryCount: UInt64 = 0
        var byteCount: UInt64 = 0

        mutating func add(_ other: Size) {
            entryCount.addClamped(other.entryCount)
            byteCount.addClamped(other.byteCount)
        }
    }

    private struct Inode: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Frame {
        let tree: ObjectID
        let nodes: [TreeNode]
        var position = 0
        var size = Size()
        var hasLinks = false
    }

    private let repository: OpenRepository
    private let cancellation: Cancellation
    private var known: [ObjectID: Size] = [:]

    init(_ repository: OpenRepository, _ cancellation: Cancellation) {
        self.repository = repository
        self.cancellation = cancellation
    }

    /// Sums up everything below a tree.
    mutating func size(of root: ObjectID) throws -> Size {
        if let size = known[root] { return size }
        let loader = try BlobLoader(repository)
        var inodes: Set<Inode> = []
        var stack = [Frame(tree: root, nodes: try loader.loadTree(root))]
        while var frame = stack.popLast() {
            guard frame.position < frame.nodes.count else {
                if !frame.hasLinks { known[frame.tree] = frame.size }
                guard let parent = stack.indices.last else { return frame.size }
                stack[parent].size.add(frame.size)
                if frame.hasLinks { stack[parent].hasLinks = true }
                continue
            }
            try cancellation.check()
            let node = frame.nodes[frame.position]
            frame.position += 1
            frame.size.entryCount.addClamped(1)
            if node.kind == .dir || node.links == 1 || node.inode == 0 {
                frame.size.byteCount.addClamped(node.size)
            } else if node.size > 0 {
                frame.hasLinks = true
                if inodes.insert(Inode(device: node.deviceID, inode: node.inode)).inserted {
                    frame.size.byteCount.addClamped(node.size)
                }
            }
            guard node.kind == .dir, let subtree = node.subtree else {
                stack.append(frame)
                continue
            }
            if let size = known[subtree] {
                frame.size.add(size)
                stack.append(frame)
            } else {
                stack.append(frame)
                stack.append(Frame(tree: subtree, nodes: try loader.loadTree(subtree)))
            }
        }
        return Size()
    }
}
