import CLinux
import Glibc
import Repository
import RepositoryFormat
import Threads

/// Turns a tree into the entries of a tar archive, a directory before what is in it.
struct TarWalk {
    private struct Inode: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Frame {
        let nodes: [TreeNode]
        let path: [UInt8]
        var position = 0
    }

    private let repository: OpenRepository
    private let stream: ContentStream
    private let cancellation: Cancellation
    /// The directory that is archived, for what is said about entries.
    private let base: [UInt8]
    private let skipped: @Sendable (String, String) -> Void
    private let loader: BlobLoader
    /// The first name of each file with several, and how many more are to come.
    private var firstNames: [Inode: (path: [UInt8], left: UInt64)] = [:]

    init(
        _ repository: OpenRepository, _ stream: ContentStream, _ cancellation: Cancellation, base: [UInt8],
        _ skipped: @escaping @Sendable (String, String) -> Void
    ) throws {
        self.repository = repository
        self.stream = stream
        self.cancellation = cancellation
        self.base = base
        self.skipped = skipped
        loader = try BlobLoader(repository)
    }

    mutating func run(_ root: ObjectID, _ open: inout ContentStream.Open) throws {
        var stack = [Frame(nodes: try nodes(root, []), path: [])]
        while let last = stack.indices.last {
            let frame = stack[last]
            guard frame.position < frame.nodes.count else {
                stack.removeLast()
                continue
            }
            stack[last].position += 1
            try cancellation.check()
            let node = frame.nodes[frame.position]
            let path = frame.path + node.name
            try append(node, path, &open)
            if node.kind == .dir, let subtree = node.subtree {
                stack.append(Frame(nodes: try nodes(subtree, path), path: path + [0x2F]))
            }
        }
        // Two blocks of zeros end an archive.
        try stream.append([UInt8](repeating: 0, count: 2 * TarEntry.blockByteCount), to: &open)
    }

    private func nodes(_ tree: ObjectID, _ path: [UInt8]) throws -> [TreeNode] {
        do { return try loader.loadTree(tree) } catch let error as RepositoryError {
            throw ArchiveError.damaged(String(decoding: absolute(path), as: UTF8.self), error)
        }
    }

    private func absolute(_ path: [UInt8]) -> [UInt8] { base + [0x2F] + path }

    private mutating func append(_ node: TreeNode, _ path: [UInt8], _ open: inout ContentStream.Open) throws {
        guard var entry = entry(node, path) else { return }
        if node.kind == .file, let first = firstName(node, path) {
            entry.kind = .hardLink
            entry.linkTarget = first
            entry.byteCount = 0
        }
        guard entry.kind == .file else { return try stream.append(entry.encoded(), to: &open) }
        let header = entry.encoded()
        try SnapshotExport.append(node, path: absolute(path), repository, stream, &open) { [stream] open in
            try stream.append(header, to: &open)
        }
        try stream.append(TarEntry.padding(of: node.size), to: &open)
    }

    /// The name under which the file is in the archive already; nil for the first one.
    private mutating func firstName(_ node: TreeNode, _ path: [UInt8]) -> [UInt8]? {
        guard node.links > 1, node.inode != 0 else { return nil }
        let inode = Inode(device: node.deviceID, inode: node.inode)
        guard let (first, left) = firstNames[inode] else {
            firstNames[inode] = (path, node.links - 1)
            return nil
        }
        firstNames[inode] = left > 1 ? (first, left - 1) : nil
        return first
    }

    private func entry(_ node: TreeNode, _ path: [UInt8]) -> TarEntry? {
        let kind: TarEntry.Kind
        switch node.kind {
        case .file: kind = .file
        case .dir: kind = .directory
        case .symlink: kind = .symlink
        case .chardev: kind = .characterDevice
        case .dev: kind = .blockDevice
        case .fifo: kind = .fifo
        case .socket, .irregular:
            skipped(
                String(decoding: absolute(path), as: UTF8.self), "A tar archive cannot hold a \(node.kind.rawValue).")
            return nil
        }
        var entry = TarEntry(kind: kind, path: node.kind == .dir ? path + [0x2F] : path)
        entry.mode = GoFileMode.permissions(node.mode)
        (entry.uid, entry.gid, entry.user, entry.group) = (node.uid, node.gid, node.user, node.group)
        entry.modified = node.modified
        entry.attributes = node.extendedAttributes
        if kind == .file { entry.byteCount = node.size }
        if kind == .symlink { entry.linkTarget = node.linkTarget }
        if kind == .characterDevice || kind == .blockDevice {
            (entry.major, entry.minor) = (clinux_major(dev_t(node.device)), clinux_minor(dev_t(node.device)))
        }
        return entry
    }
}
