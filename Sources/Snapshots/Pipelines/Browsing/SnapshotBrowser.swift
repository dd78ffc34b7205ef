import JSON
package import Repository
package import RepositoryFormat
package import SnapshotModel
package import Threads

/// Finds snapshots and what is in them.
package final class SnapshotBrowser {
    package let repository: OpenRepository
    private let loader: BlobLoader

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository) throws {
        self.repository = repository
        loader = try BlobLoader(repository)
    }

    /// The entries of a directory of a snapshot.
    package func entries(of node: TreeNode) throws -> [TreeNode] {
        guard let subtree = node.subtree else { return [] }
        return try loader.loadTree(subtree)
    }

    /// The entries at the top of a snapshot.
    package func root(of snapshot: OpenRepository.Snapshot) throws -> [TreeNode] {
        try loader.loadTree(snapshot.record.tree)
    }

    /// The entry at a path; nil when there is none.
    ///
    /// - Parameter path: names with slashes between them; one in front and one behind do not matter.
    package func node(at path: String, in snapshot: OpenRepository.Snapshot) throws -> TreeNode? {
        var nodes = try root(of: snapshot)
        var found: TreeNode?
        for name in path.split(separator: "/") {
            if let found { nodes = try entries(of: found) }
            found = nodes.first { $0.name.elementsEqual(name.utf8) }
            if found == nil { return nil }
        }
        return found
    }

    /// The content of a small file of a snapshot.
    ///
    /// - Throws: when it is larger than `maximumByteCount`, or damaged.
    package func content(of node: TreeNode, maximumByteCount: Int = 64 << 20) throws -> [UInt8] {
        guard node.size <= UInt64(maximumByteCount) else {
            throw PipelineError(.badRequest, "The file \(node.displayName) is too large to be read as a whole.")
        }
        var bytes: [UInt8] = []
        for id in node.content ?? [] { bytes += try loader.load(id, .data) }
        return bytes
    }

    /// Calls `body` with each part of a file in order.
    package func forEachPart(of node: TreeNode, cancellation: Cancellation, _ body: ([UInt8]) throws -> Void) throws {
        for id in node.content ?? [] {
            try cancellation.check()
            try body(try loader.load(id, .data))
        }
    }

    /// What a snapshot of ours says about itself; nil for snapshots of other programs.
    package func document(of snapshot: OpenRepository.Snapshot) throws -> SnapshotDocument? {
        guard SnapshotTags(decoding: snapshot.record.tags) != nil,
            let node = try node(at: SnapshotDocument.fileName, in: snapshot), node.kind == .file
        else { return nil }
        guard let object = try JSONValue.parse(try content(of: node)).objectValue else { return nil }
        return try SnapshotDocument(json: object)
    }
}

extension TreeNode {
    /// The name for people: UTF-8 with replacements.
    package var displayName: String { String(decoding: name, as: UTF8.self) }
}

extension SnapshotSummary {
    /// What lists show of a snapshot.
    package init(_ snapshot: OpenRepository.Snapshot) {
        self.init(
            id: snapshot.id.hexadecimal, time: Moment(milliseconds: snapshot.record.time.milliseconds),
            tree: snapshot.record.tree.hexadecimal, host: snapshot.record.hostname, paths: snapshot.record.paths,
            tags: snapshot.record.tags,
            byteCount: snapshot.record.summary.map { Int64(clamping: $0.totalBytesProcessed) })
    }
}
