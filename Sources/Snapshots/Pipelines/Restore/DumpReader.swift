import Glibc
import Repository
import RepositoryFormat
import Threads

/// Hands out a file of a repository piece by piece.
struct DumpReader {
    private let repository: OpenRepository
    private var ids: ArraySlice<ObjectID>
    private var part: ArraySlice<UInt8> = []
    private var loader: BlobLoader?

    init(repository: OpenRepository, node: TreeNode) {
        self.repository = repository
        ids = (node.content ?? [])[...]
    }

    /// Reads and proves all of a file without handing it out: a damaged dump must be found before a database takes the
    /// first half of it.
    ///
    /// - Throws: what the repository throws for blobs that are missing or damaged; cancellation.
    static func verify(_ node: TreeNode, in repository: OpenRepository, cancellation: Cancellation) throws {
        let loader = try BlobLoader(repository)
        for id in node.content ?? [] {
            try cancellation.check()
            _ = try loader.load(id, .data)
        }
    }

    /// Fills a buffer; 0 at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while part.isEmpty, let id = ids.popFirst() {
            let loader = try loader ?? BlobLoader(repository)
            self.loader = loader
            part = try loader.load(id, .data)[...]
        }
        let count = min(buffer.count, part.count)
        buffer.copyBytes(from: part.prefix(count))
        part = part.dropFirst(count)
        return count
    }
}
