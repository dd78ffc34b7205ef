import CLinux
import Chunking
import Glibc
import Repository
package import RepositoryFormat
import Synchronization
import Threads

extension Archiver {
    /// Archives a file or a directory with everything below it.
    ///
    /// Returns when all of it is read, so that its application can be released; it is durable after ``finish()``.
    ///
    /// - Parameters:
    ///   - path: absolute; a symbolic link at its end is followed.
    ///   - name: of the resulting node.
    ///   - previous: what an earlier snapshot had at this place; unchanged files are not read again.
    /// - Throws: ``ArchiveError/Code/unreadableRoot`` when the path itself cannot be read. Anything below that cannot
    ///   be read is a warning.
    package func archive(
        path: String, as name: String, previous: TreeNode? = nil, options: ArchiveOptions = ArchiveOptions()
    ) throws -> TreeNode {
        try check()
        let pathBytes = Array(path.utf8)
        var stat = clinux_stat()
        let handle = DirectoryHandle.open(path: pathBytes)
        if handle == nil, errno != ENOTDIR { throw ArchiveError.unreadableRoot(path, errno) }
        beginRoot()
        let worker = try BlobSaver.Worker(saver)
        if let handle {
            guard clinux_fstat(handle.descriptor, &stat) == 0, var node = nodes.node(name: Array(name.utf8), stat)
            else {
                throw ArchiveError.unreadableRoot(path, errno)
            }
            attachAttributes(&node, [0x2E], in: handle)
            var walk = TreeWalk(self, options: options, rootDevice: stat.device, worker: worker)
            try walk.run(handle, node, previous: previous)
        } else {
            try archiveSingle(pathBytes, name: Array(name.utf8), previous: previous, worker)
        }
        return try waitForRoot(path)
    }

    private func archiveSingle(_ path: [UInt8], name: [UInt8], previous: TreeNode?, _ worker: BlobSaver.Worker) throws {
        let text = String(decoding: path, as: UTF8.self)
        var path = path
        // As many links as the system follows (path_resolution(7)).
        for _ in 0...40 {
            guard let slash = path.lastIndex(of: 0x2F),
                let directory = DirectoryHandle.open(path: slash == 0 ? [0x2F] : Array(path[..<slash]))
            else { throw ArchiveError.unreadableRoot(text, errno) }
            let last = Array(path[(slash + 1)...])
            var stat = clinux_stat()
            guard directory.look(at: last, &stat), let node = nodes.node(name: name, stat) else {
                throw ArchiveError.unreadableRoot(text, errno)
            }
            guard node.kind == .symlink else {
                let walk = TreeWalk(self, options: ArchiveOptions(), rootDevice: stat.device, worker: worker)
                return try walk.single(node, file: last, in: directory, previous: previous)
            }
            guard let target = directory.linkTarget(last) else { throw ArchiveError.unreadableRoot(text, errno) }
            path = target.first == 0x2F ? target : directory.childPath(target)
        }
        throw ArchiveError.unreadableRoot(text, ELOOP)
    }

    /// Archives what `produce` writes as a file: a database dump.
    ///
    /// - Parameter produce: called once with a function that takes the next bytes; when it throws, the file does not
    ///   come to be and the error is passed on.
    package func archive(
        streamNamed name: String, mode: UInt32 = 0o600,
        produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> TreeNode {
        try check()
        beginRoot()
        let worker = try BlobSaver.Worker(saver)
        let now = nodes.now()
        guard var feeder = ChunkFeeder(chunker: repository.chunker, pool: chunkPool) else {
            try check()
            throw CancellationFailure(reason: .failure)
        }
        let content = ContentJob { [self] ids, byteCount, _ in
            var node = TreeNode(name: Array(name.utf8), kind: .file, modified: now, accessed: now, changed: now)
            node.mode = mode
            node.uid = getuid()
            node.gid = getgid()
            node.size = byteCount
            node.links = 1
            node.content = ids
            count { $0.filesNew += 1 }
            rootFinished(node)
        }
        do {
            try produce { bytes in
                var rest = bytes
                while !rest.isEmpty {
                    try check()
                    let space = feeder.space
                    let count = min(space.count, rest.count)
                    space.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[0..<count]))
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    guard feeder.advance(count, emit: { push($0, $1, content) }) else {
                        try check()
                        throw CancellationFailure(reason: .failure)
                    }
                }
            }
        } catch {
            feeder.abandon()
            throw error
        }
        feeder.finish { push($0, $1, content) }
        try content.end(worker)
        return try waitForRoot(name)
    }

    /// A file whose content is at hand: `snapshot.json`.
    package func archive(_ bytes: [UInt8], as name: String) throws -> TreeNode {
        try archive(streamNamed: name, mode: 0o644) { consume in try bytes.withUnsafeBytes { try consume($0) } }
    }

    /// A directory of nodes that were archived before.
    package func directory(_ name: String, _ children: [TreeNode]) throws -> TreeNode {
        let now = nodes.now()
        var node = TreeNode(name: Array(name.utf8), kind: .dir, modified: now, accessed: now, changed: now)
        node.mode = GoFileMode.directory | 0o755
        node.uid = getuid()
        node.gid = getgid()
        node.subtree = try saveTree(children)
        return node
    }

    /// The root tree of a snapshot.
    package func saveTree(_ children: [TreeNode]) throws -> ObjectID {
        try check()
        let sorted = children.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        return try BlobSaver.Worker(saver).save(TreeEncoding.encoded(sorted), .tree).id
    }

    /// Attaches the extended attributes of an entry of `directory`; `.` is the directory itself.
    func attachAttributes(_ node: inout TreeNode, _ entry: [UInt8], in directory: DirectoryHandle) {
        let (attributes, failure) = nodes.extendedAttributes(entry, in: directory.descriptor)
        node.extendedAttributes = attributes
        if let failure {
            warn(
                entry == [0x2E] ? String(decoding: directory.path, as: UTF8.self) : directory.childText(entry),
                "The extended attribute \(failure.name) cannot be read: \(systemMessage(failure.errno)).")
        }
    }
}
