import CLinux
import Glibc
package import Repository
package import RepositoryFormat
package import Threads

/// Writes what is in a snapshot as a stream of bytes: the content of a file, or a directory as a tar archive.
///
/// Memory is bounded whatever is exported; blobs are loaded ahead by several threads.
package struct SnapshotExport: Sendable {
    private let repository: OpenRepository
    private let cancellation: Cancellation

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository, cancellation: Cancellation) {
        self.repository = repository
        self.cancellation = cancellation
    }

    /// Writes the content of a file.
    ///
    /// - Parameters:
    ///   - path: of the file, for errors.
    ///   - sink: gets the bytes in order, on the calling thread; they are valid within it only.
    /// - Throws: ``ArchiveError/Code/damaged`` when the content cannot be read as it was; what `sink` throws.
    package func writeFile(
        _ node: TreeNode, path: [UInt8], to sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try stream(to: sink) { stream, open in
            try Self.append(node, path: path, repository, stream, &open)
        }
    }

    /// Writes a directory as a tar archive in the pax format; names are relative to the directory, which has no entry
    /// itself. Owners, modes, times to the nanosecond, extended attributes, access control lists, hard links and special
    /// files are in it; GNU tar restores them.
    ///
    /// - Parameters:
    ///   - tree: of the directory.
    ///   - path: of the directory, without a slash at the end, for warnings and errors.
    ///   - skipped: told of each entry that no tar archive can hold (sockets), from another thread.
    ///   - sink: gets the bytes in order, on the calling thread; they are valid within it only.
    /// - Throws: ``ArchiveError/Code/damaged`` for the first file or directory that cannot be read as it was: the archive
    ///   is incomplete then. What `sink` throws.
    package func writeTar(
        tree: ObjectID, path: [UInt8] = [], skipped: @escaping @Sendable (_ path: String, _ reason: String) -> Void,
        to sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try stream(to: sink) { stream, open in
            var walk = try TarWalk(repository, stream, cancellation, base: path, skipped)
            try walk.run(tree, &open)
        }
    }

    private func stream(
        to sink: @escaping (UnsafeRawBufferPointer) throws -> Void,
        _ produce: @escaping @Sendable (ContentStream, inout ContentStream.Open) throws -> Void
    ) throws {
        let stream = ContentStream(repository, cancellation: cancellation)
        let producer = WorkerThread(name: "export-walk") {
            var open = ContentStream.Open()
            do {
                try produce(stream, &open)
                stream.finish(&open)
            } catch { stream.finish(&open, error) }
        }
        // The producer hands its errors on through the stream and throws none.
        defer { try? producer.join() }
        try stream.forEachBuffer(sink)
    }

    /// Appends the content of a file, proven to have the right size before its first byte.
    static func append(
        _ node: TreeNode, path: [UInt8], _ repository: OpenRepository, _ stream: ContentStream,
        _ open: inout ContentStream.Open, before: (inout ContentStream.Open) throws -> Void = { _ in }
    ) throws {
        var locations: [BlobIndex.Location] = []
        var byteCount: UInt64 = 0
        for id in node.content ?? [] {
            guard let location = repository.index.location(of: id, .data) else {
                throw ArchiveError.damaged(
                    String(decoding: path, as: UTF8.self), RepositoryError.missingBlob(id, .data))
            }
            locations.append(location)
            byteCount += UInt64(location.blob.contentByteCount)
        }
        guard byteCount == node.size else {
            throw ArchiveError.damaged(
                String(decoding: path, as: UTF8.self),
                FormatError("file", "its blobs have \(byteCount) bytes, the file has \(node.size)"))
        }
        try before(&open)
        for location in locations { try stream.append(location, path: path, to: &open) }
    }
}
