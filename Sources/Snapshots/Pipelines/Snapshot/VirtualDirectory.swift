import Archiving
import Glibc
import RepositoryFormat

/// Directories that exist in the snapshot only, put together from nodes that were archived.
struct VirtualDirectory {
    private enum Entry {
        case directory(VirtualDirectory)
        case node(TreeNode)
    }

    private var entries: [String: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }

    /// Puts a node at a path of names; a node that is there already is replaced.
    mutating func insert(_ node: TreeNode, at path: [String]) {
        guard let first = path.first else { return }
        if path.count == 1 {
            var node = node
            node.name = Array(first.utf8)
            entries[first] = .node(node)
            return
        }
        var child = VirtualDirectory()
        if case .directory(let existing) = entries[first] { child = existing }
        child.insert(node, at: Array(path.dropFirst()))
        entries[first] = .directory(child)
    }

    /// Saves all trees.
    ///
    /// - Returns: the nodes at the top.
    func save(with archiver: Archiver) throws -> [TreeNode] {
        try entries.map { name, entry in
            switch entry {
            case .node(let node): node
            case .directory(let directory): try archiver.directory(name, directory.save(with: archiver))
            }
        }
    }
}
