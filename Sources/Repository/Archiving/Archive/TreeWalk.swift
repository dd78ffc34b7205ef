import CLinux
import Chunking
import Glibc
import Repository
import RepositoryFormat
import Threads

/// Walks a directory depth first on the caller's thread, compares with the previous snapshot, and hands files to the
/// stages behind.
struct TreeWalk {
    /// A directory whose entries are being visited.
    private struct Frame {
        let job: DirectoryJob
        let names: NameList
        var position = 0
        /// What the previous snapshot has of the directory, as far as it was not passed.
        var previous: TreeCursor?
        /// Only the tag that excludes the rest is kept.
        let onlyName: [UInt8]?
    }

    /// Where an entry is, and where its node belongs.
    private struct Place {
        let directory: DirectoryHandle
        let job: DirectoryJob
        let slot: Int
    }

    /// Small files are handed on when they are this many, or this many bytes.
    private static let batchCount = 32
    private static let batchByteCount: UInt64 = 1 << 20

    private let archiver: Archiver
    private let options: ArchiveOptions
    private let rules: ExcludeRules
    private let rootDevice: UInt64
    private let worker: BlobSaver.Worker
    private let loader: BlobLoader?
    private var stack: [Frame] = []
    /// The directories of `stack`.
    private var directories = DirectoryStack()
    private var path: [[UInt8]] = []
    private var batch: [FileJob] = []
    private var batchBytes: UInt64 = 0
    /// The start of the node at hand, encoded; kept for its memory.
    private var start: [UInt8] = []

    init(_ archiver: Archiver, options: ArchiveOptions, rootDevice: UInt64, worker: BlobSaver.Worker) {
        self.archiver = archiver
        self.options = options
        self.rootDevice = rootDevice
        self.worker = worker
        rules = ExcludeRules(options.excludes)
        // Without a loader nothing is compared and everything is read: slower, not wrong.
        loader = try? BlobLoader(archiver.repository)
    }

    /// Walks a directory whose node is `node`.
    mutating func run(_ root: DirectoryHandle, _ node: TreeNode, previous: TreeNode?) throws {
        guard try enter(root, node, parent: nil, previous: previous) else {
            throw ArchiveError.unreadableRoot(String(decoding: root.path, as: UTF8.self), errno)
        }
        while !stack.isEmpty {
            try archiver.check()
            let top = stack.count - 1
            guard stack[top].position < stack[top].names.count else {
                try leave()
                continue
            }
            guard let handle = directories.top else {
                archiver.warn(
                    String(decoding: (path.reduce(root.path) { $0 + [0x2F] + $1 }), as: UTF8.self),
                    "It was moved away while it was read; the rest of it is missing.")
                stack[top].position = stack[top].names.count
                continue
            }
            let slot = stack[top].position
            stack[top].position += 1
            try visit(slot, top, handle)
        }
        flush()
    }

    /// Goes up when all entries of a directory were visited.
    private mutating func leave() throws {
        let job = stack.removeLast().job
        directories.pop()
        if !path.isEmpty { path.removeLast() }
        if job.endListing() { try archiver.finish(job, worker) }
    }

    /// Archives one entry that is no directory: `file` in `directory`, under the name of `node`.
    func single(_ node: TreeNode, file: [UInt8], in directory: DirectoryHandle, previous: TreeNode?) throws {
        var node = node
        archiver.attachAttributes(&node, file, in: directory)
        if node.kind == .file {
            let job = FileJob(
                directory: directory, name: file, parent: nil, node: node, isNew: previous?.kind != .file)
            if node.size < UInt64(Chunker.minimumByteCount) {
                archiver.work.push(.files([job]))
            } else {
                archiver.largeFiles.push(job)
            }
        } else {
            archiver.rootFinished(try special(node, file: file, in: directory))
        }
    }

    /// Opens a directory and makes it the top of the stack.
    ///
    /// - Returns: false with errno set when it cannot be listed.
    private mutating func enter(
        _ handle: DirectoryHandle, _ node: TreeNode, parent: (job: DirectoryJob, slot: Int)?, previous: TreeNode?
    ) throws -> Bool {
        guard let names = handle.sortedNames() else { return false }
        var previousTree: (id: ObjectID, bytes: [UInt8])?
        if let subtree = previous?.subtree, let loader {
            // A previous tree that cannot be read only costs reading the files again.
            previousTree = (try? loader.load(subtree, .tree)).map { (subtree, $0) }
        }
        let job = DirectoryJob(node: node, entryCount: names.count, parent: parent, previous: previousTree)
        let cursor = previousTree.flatMap { TreeCursor($0.bytes) }
        stack.append(Frame(job: job, names: names, previous: cursor, onlyName: excludingTag(handle, names)))
        directories.push(handle, name: node.name)
        return true
    }

    /// The name of the file that says that the rest of its directory is not to be kept.
    private func excludingTag(_ handle: DirectoryHandle, _ names: NameList) -> [UInt8]? {
        for tag in options.excludeIfPresent where names.contains(Array(tag.utf8)) { return Array(tag.utf8) }
        let tag = Array("CACHEDIR.TAG".utf8)
        guard options.excludeCaches, names.contains(tag) else { return nil }
        let signature = Array("Signature: 8a477f597d28d172789f06886806bc55".utf8)
        let descriptor = clinux_openat(
            handle.descriptor, "CACHEDIR.TAG", O_RDONLY | O_CLOEXEC | O_NONBLOCK | CLINUX_O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: signature.count)
        return read(descriptor, &bytes, bytes.count) == bytes.count && bytes == signature ? tag : nil
    }

    private mutating func visit(_ slot: Int, _ top: Int, _ handle: DirectoryHandle) throws {
        let frame = stack[top]
        let name = frame.names[slot]
        if let only = frame.onlyName, name != only { return }
        var stat = clinux_stat()
        guard handle.look(at: name, &stat) else {
            let code = errno
            // Gone between listing and looking: whoever removed it before the snapshot's moment is right.
            if code != ENOENT {
                archiver.warn(handle.childText(name), "It cannot be read: \(systemMessage(code)).")
            }
            return
        }
        let isDirectory = stat.mode & 0o170000 == 0o040000
        if !rules.isEmpty, rules.excludes(path: path + [name], isDirectory: isDirectory) { return }
        guard let facts = archiver.nodes.facts(stat) else { return }
        let leavesFileSystem = options.oneFileSystem && stat.device != rootDevice
        if leavesFileSystem, !isDirectory { return }
        if !isDirectory, takeUnchanged(name, facts, slot, top) { return }
        var node = archiver.nodes.node(name: name, stat, facts)
        let previous = stack[top].previous?.node(named: name)
        if let previous, node.hasFacts(of: previous) {
            // Whoever changes an attribute changes the time of change (xattr(7), inode(7)).
            node.extendedAttributes = previous.extendedAttributes
        } else {
            archiver.attachAttributes(&node, name, in: handle)
        }
        let place = Place(directory: handle, job: frame.job, slot: slot)
        switch node.kind {
        case .dir: try visitDirectory(node, place, previous: previous, isEmptied: leavesFileSystem)
        case .file: visitFile(node, place, previous: previous)
        default:
            frame.job.set(try special(node, file: name, in: handle), slot: slot)
            archiver.count { $0.others += 1 }
        }
    }

    private mutating func visitDirectory(
        _ node: TreeNode, _ place: Place, previous: TreeNode?, isEmptied: Bool
    ) throws {
        if isEmptied {
            var node = node
            node.subtree = try worker.save(TreeEncoding.encoded([]), .tree).id
            place.job.set(node, slot: place.slot)
            return
        }
        guard let handle = DirectoryHandle.open(node.name, in: place.directory) else {
            return archiver.warn(place.directory.childText(node.name), "It cannot be opened: \(systemMessage(errno)).")
        }
        place.job.expectEntry(slot: place.slot)
        guard
            try enter(
                handle, node, parent: (place.job, place.slot), previous: previous?.kind == .dir ? previous : nil)
        else {
            archiver.warn(place.directory.childText(node.name), "It cannot be listed: \(systemMessage(errno)).")
            // The walk still holds the listing, so this can never complete it.
            _ = place.job.complete(nil, slot: place.slot)
            return
        }
        path.append(node.name)
    }

    private mutating func visitFile(_ node: TreeNode, _ place: Place, previous: TreeNode?) {
        if let previous, let content = previous.content, isUnchanged(node, previous),
            archiver.repository.index.containsAll(content, .data)
        {
            var node = node
            node.content = content
            place.job.set(node, slot: place.slot)
            archiver.count {
                $0.filesUnmodified += 1
                $0.bytes += node.size
            }
            return
        }
        place.job.expectEntry(slot: place.slot)
        let job = FileJob(
            directory: place.directory, name: node.name, parent: (place.job, place.slot), node: node,
            isNew: previous?.kind != .file)
        guard node.size < UInt64(Chunker.minimumByteCount) else {
            archiver.largeFiles.push(job)
            return
        }
        batch.append(job)
        batchBytes += node.size
        if batch.count >= Self.batchCount || batchBytes >= Self.batchByteCount { flush() }
    }

    private mutating func flush() {
        guard !batch.isEmpty else { return }
        archiver.work.push(.files(batch))
        batch = []
        batchBytes = 0
    }

    /// Takes over the node of the previous snapshot as it is when nothing that a look at the entry tells has changed.
    ///
    /// All of it is compared, more than restic does to find content unchanged, so the node is byte for byte what encoding
    /// it anew would give. Attributes and link targets cannot change without the time of change.
    private mutating func takeUnchanged(_ name: [UInt8], _ facts: NodeFacts, _ slot: Int, _ top: Int) -> Bool {
        guard stack[top].previous != nil else { return false }
        start.removeAll(keepingCapacity: true)
        TreeEncoding.appendStart(name, facts, to: &start)
        let index = archiver.repository.index
        let isFile = facts.kind == .file
        let taken = stack[top].previous?.takeUnchanged(start: start, isFile: isFile) { index.contains($0, .data) }
        guard let taken else { return false }
        stack[top].job.set(encoded: taken, slot: slot)
        archiver.count {
            if isFile { $0.filesUnmodified += 1 } else { $0.others += 1 }
            $0.bytes += facts.size
        }
        return true
    }

    /// restic's rule: size, both times and the inode say that a file was not touched.
    private func isUnchanged(_ node: TreeNode, _ previous: TreeNode) -> Bool {
        previous.kind == .file && node.size == previous.size
            && (options.ignoresInode || node.inode == previous.inode)
            && node.modified.isSameInstant(as: previous.modified)
            && (options.ignoresChangeTime || node.changed.isSameInstant(as: previous.changed))
    }

    /// Links, devices, FIFOs and sockets carry all they are in their node.
    private func special(_ node: TreeNode, file: [UInt8], in directory: DirectoryHandle) throws -> TreeNode {
        guard node.kind == .symlink else { return node }
        var node = node
        if let target = directory.linkTarget(file) {
            node.linkTarget = target
        } else {
            archiver.warn(directory.childText(file), "The link cannot be read: \(systemMessage(errno)).")
        }
        return node
    }
}
