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
        let handle: DirectoryHandle
        let job: DirectoryJob
        let names: [[UInt8]]
        var position = 0
        /// The nodes of the previous snapshot, sorted by name, and how far they were looked at.
        let previous: [TreeNode]
        var previousPosition = 0
        /// Only the tag that excludes the rest is kept.
        let onlyName: [UInt8]?
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
    private var path: [[UInt8]] = []
    private var batch: [FileJob] = []
    private var batchBytes: UInt64 = 0

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
    mutating func run(_ handle: DirectoryHandle, _ node: TreeNode, previous: TreeNode?) throws {
        guard try enter(handle, node, parent: nil, previous: previous) else {
            throw ArchiveError.unreadableRoot(String(decoding: handle.path, as: UTF8.self), errno)
        }
        while !stack.isEmpty {
            try archiver.check()
            let top = stack.count - 1
            guard stack[top].position < stack[top].names.count else {
                let job = stack[top].job
                stack.removeLast()
                if !path.isEmpty { path.removeLast() }
                if job.endListing() { try archiver.finish(job, worker) }
                continue
            }
            let slot = stack[top].position
            stack[top].position += 1
            try visit(slot, top)
        }
        flush()
    }

    /// Archives one entry that is no directory: `file` in `directory`, under the name of `node`.
    func single(_ node: TreeNode, file: [UInt8], in directory: DirectoryHandle, previous: TreeNode?) throws {
        var node = node
        archiver.attachAttributes(&node, path: directory.childPath(file))
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
        var previousNodes: [TreeNode] = []
        if let subtree = previous?.subtree, let loader {
            // A previous tree that cannot be read only costs reading the files again.
            previousNodes = (try? loader.loadTree(subtree)) ?? []
        }
        let job = DirectoryJob(node: node, entryCount: names.count, parent: parent)
        stack.append(
            Frame(
                handle: handle, job: job, names: names, previous: previousNodes, onlyName: excludingTag(handle, names)))
        return true
    }

    /// The name of the file that says that the rest of its directory is not to be kept.
    private func excludingTag(_ handle: DirectoryHandle, _ names: [[UInt8]]) -> [UInt8]? {
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

    private mutating func visit(_ slot: Int, _ top: Int) throws {
        let frame = stack[top]
        let name = frame.names[slot]
        if let only = frame.onlyName, name != only { return }
        var stat = clinux_stat()
        let found = name.withTerminator { clinux_lstatat(frame.handle.descriptor, $0, &stat) }
        guard found == 0 else {
            let code = errno
            // Gone between listing and looking: whoever removed it before the snapshot's moment is right.
            if code != ENOENT {
                archiver.warn(frame.handle.childText(name), "It cannot be read: \(systemMessage(code)).")
            }
            return
        }
        let isDirectory = stat.mode & 0o170000 == 0o040000
        if !rules.isEmpty, rules.excludes(path: path + [name], isDirectory: isDirectory) { return }
        guard var node = archiver.nodes.node(name: name, stat) else { return }
        let leavesFileSystem = options.oneFileSystem && stat.device != rootDevice
        if leavesFileSystem, !isDirectory { return }
        let previous = advancePrevious(to: name, top)
        archiver.attachAttributes(&node, path: frame.handle.childPath(name))
        switch node.kind {
        case .dir: try visitDirectory(node, frame, slot, previous: previous, isEmptied: leavesFileSystem)
        case .file: visitFile(node, frame, slot, previous: previous)
        default:
            frame.job.set(try special(node, file: name, in: frame.handle), slot: slot)
            archiver.count { $0.others += 1 }
        }
    }

    private mutating func visitDirectory(
        _ node: TreeNode, _ frame: Frame, _ slot: Int, previous: TreeNode?, isEmptied: Bool
    ) throws {
        if isEmptied {
            var node = node
            node.subtree = try worker.save(TreeEncoding.encoded([]), .tree).id
            frame.job.set(node, slot: slot)
            return
        }
        guard let handle = DirectoryHandle.open(node.name, in: frame.handle) else {
            return archiver.warn(frame.handle.childText(node.name), "It cannot be opened: \(systemMessage(errno)).")
        }
        frame.job.expectEntry()
        guard try enter(handle, node, parent: (frame.job, slot), previous: previous?.kind == .dir ? previous : nil)
        else {
            archiver.warn(frame.handle.childText(node.name), "It cannot be listed: \(systemMessage(errno)).")
            // The frame still holds the listing, so this can never complete it.
            _ = frame.job.complete(nil, slot: slot)
            return
        }
        path.append(node.name)
    }

    private mutating func visitFile(_ node: TreeNode, _ frame: Frame, _ slot: Int, previous: TreeNode?) {
        if let previous, let content = previous.content, Self.isUnchanged(node, previous),
            archiver.repository.index.containsAll(content, .data)
        {
            var node = node
            node.content = content
            frame.job.set(node, slot: slot)
            archiver.count {
                $0.filesUnmodified += 1
                $0.bytes += node.size
            }
            return
        }
        frame.job.expectEntry()
        let job = FileJob(
            directory: frame.handle, name: node.name, parent: (frame.job, slot), node: node,
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

    /// restic's rule: size, both times and the inode say that a file was not touched.
    private static func isUnchanged(_ node: TreeNode, _ previous: TreeNode) -> Bool {
        previous.kind == .file && node.size == previous.size && node.inode == previous.inode
            && node.modified.isSameInstant(as: previous.modified) && node.changed.isSameInstant(as: previous.changed)
    }

    private mutating func advancePrevious(to name: [UInt8], _ top: Int) -> TreeNode? {
        let previous = stack[top].previous
        while stack[top].previousPosition < previous.count {
            let candidate = previous[stack[top].previousPosition]
            if candidate.name == name { return candidate }
            guard candidate.name.lexicographicallyPrecedes(name) else { return nil }
            stack[top].previousPosition += 1
        }
        return nil
    }

    /// Links, devices, FIFOs and sockets carry all they are in their node.
    private func special(_ node: TreeNode, file: [UInt8], in directory: DirectoryHandle) throws -> TreeNode {
        guard node.kind == .symlink else { return node }
        var node = node
        var target = [CChar](repeating: 0, count: 4097)
        let count = file.withTerminator { readlinkat(directory.descriptor, $0, &target, target.count) }
        if count < 0 {
            archiver.warn(directory.childText(file), "The link cannot be read: \(systemMessage(errno)).")
        } else {
            node.linkTarget = target[0..<count].map { UInt8(bitPattern: $0) }
        }
        return node
    }
}

extension [UInt8] {
    /// Runs `body` with the bytes as a C string.
    func withTerminator<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (self + [0]).withUnsafeBufferPointer { bytes in
            // Never nil: there is at least the terminator.
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}
