import Repository
import RepositoryFormat
import Threads

/// Rewrites trees without what is lost. What is below a tree is the same in every snapshot, so each is done once.
final class TreeRepair {
    /// What became of a tree.
    struct Outcome {
        var id: ObjectID
        /// Paths relative to the tree.
        var changes: [SnapshotRepair.Change] = []
    }

    private struct Frame {
        let id: ObjectID
        var nodes: [TreeNode]
        /// The next node to look at.
        var next = 0
        var changes: [SnapshotRepair.Change] = []
    }

    private let repository: OpenRepository
    private let loader: BlobLoader
    private let cancellation: Cancellation
    private let save: ([UInt8]) throws -> ObjectID
    /// Nil for trees that cannot be read.
    private var known: [ObjectID: Outcome?] = [:]

    /// - Parameter save: gets each tree that is new and returns its id.
    init(_ repository: OpenRepository, cancellation: Cancellation, save: @escaping ([UInt8]) throws -> ObjectID) throws
    {
        self.repository = repository
        self.cancellation = cancellation
        self.save = save
        loader = try BlobLoader(repository)
    }

    /// - Returns: nil when the tree itself cannot be read.
    func repair(_ root: ObjectID) throws -> Outcome? {
        if let outcome = known[root] { return outcome }
        guard let frame = try open(root) else { return nil }
        var stack = [frame]
        while var frame = stack.popLast() {
            try cancellation.check()
            var waitsFor: Frame?
            while frame.next < frame.nodes.count {
                let node = frame.nodes[frame.next]
                if node.kind == .dir, let subtree = node.subtree, known[subtree] == nil, let below = try open(subtree) {
                    waitsFor = below
                    break
                }
                repairNode(&frame)
            }
            if let waitsFor {
                stack.append(frame)
                stack.append(waitsFor)
            } else {
                known[frame.id] = try finish(frame)
            }
        }
        return known[root] ?? nil
    }

    private func open(_ id: ObjectID) throws -> Frame? {
        do { return Frame(id: id, nodes: try loader.loadTree(id)) } catch {
            guard BlobLoader.isDamage(error) else { throw error }
            known[id] = .some(nil)
            return nil
        }
    }

    /// Repairs the node at hand, of which everything below is known.
    private func repairNode(_ frame: inout Frame) {
        let node = frame.nodes[frame.next]
        switch node.kind {
        case .dir: repairDirectory(node, &frame)
        case .file: repairFile(node, &frame)
        case .irregular:
            let kind = node.unknownKind.isEmpty ? "irregular" : String(decoding: node.unknownKind, as: UTF8.self)
            frame.changes.append(.init(path: node.name, loss: .entry(kind: kind)))
            frame.nodes.remove(at: frame.next)
        default: frame.next += 1
        }
    }

    private func repairDirectory(_ node: TreeNode, _ frame: inout Frame) {
        defer { frame.next += 1 }
        guard let subtree = node.subtree, let outcome = known[subtree] ?? nil else {
            frame.changes.append(.init(path: node.name, loss: .directory))
            frame.nodes[frame.next].subtree = nil
            return
        }
        for change in outcome.changes {
            var change = change
            change.path = node.name + [0x2F] + change.path
            frame.changes.append(change)
        }
        frame.nodes[frame.next].subtree = outcome.id
    }

    private func repairFile(_ node: TreeNode, _ frame: inout Frame) {
        defer { frame.next += 1 }
        let content = node.content ?? []
        var kept: [ObjectID] = []
        var size: UInt64 = 0
        repository.index.lookUp(content, .data) { position, _, byteCount in
            guard let byteCount else { return }
            kept.append(content[position])
            size += UInt64(byteCount)
        }
        if kept.count == content.count, node.content != nil, size == node.size { return }
        let isLoss = kept.count < content.count || size < node.size && content.isEmpty
        frame.nodes[frame.next].content = kept
        frame.nodes[frame.next].size = size
        let loss: SnapshotRepair.Loss =
            isLoss
            ? .content(lostParts: content.count - kept.count, parts: content.count, byteCount: size, of: node.size)
            : .wrongSize(byteCount: size, of: node.size)
        frame.changes.append(.init(path: node.name, loss: loss))
    }

    /// Stores the tree when it has changed, its damaged entries under names that say so.
    private func finish(_ frame: Frame) throws -> Outcome {
        guard !frame.changes.isEmpty else { return Outcome(id: frame.id) }
        var nodes = frame.nodes
        var changes = frame.changes
        var names = Set(nodes.map(\.name))
        let numbers = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
        for position in changes.indices {
            let change = changes[position]
            guard change.loss.marksName, let number = numbers[change.path] else { continue }
            let name = SnapshotRepair.markedName(change.path, notIn: names)
            names.insert(name)
            nodes[number].name = name
            changes[position].newName = name
            if change.loss == .directory { nodes[number].subtree = try save(TreeEncoding.encoded([TreeNode]())) }
        }
        nodes.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return Outcome(id: try save(TreeEncoding.encoded(nodes)), changes: changes)
    }
}
