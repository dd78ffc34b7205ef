import CLinux
import Glibc
import Repository
import RepositoryFormat
import Threads

/// Walks the trees of a restore: makes what needs no data, and collects which blob belongs where.
struct RestorePlanner {
    private struct Inode: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let restorer: Restorer
    private let loader: BlobLoader
    private(set) var files: [RestoreFile] = []
    private(set) var uses: [BlobUse] = []
    private(set) var packs: [ObjectID] = []
    /// Parents before children.
    private(set) var directories: [(path: [UInt8], node: TreeNode)] = []
    private var packNumbers: [ObjectID: UInt32] = [:]
    /// The first name of each file with several, and its number when it has content.
    private var firstLinks: [Inode: (path: [UInt8], file: Int?)] = [:]

    init(_ restorer: Restorer) throws {
        self.restorer = restorer
        loader = try BlobLoader(restorer.repository)
    }

    /// Plans an entry with everything below it.
    mutating func add(_ node: TreeNode, path: [UInt8]) throws {
        guard node.kind == .dir else { return try addEntry(node, path: path, mayExist: true) }
        var stack: [(node: TreeNode, path: [UInt8])] = [(node, path)]
        while let (node, path) = stack.popLast() {
            try restorer.cancellation.check()
            guard let isNew = try makeDirectory(node, path), let subtree = node.subtree else { continue }
            let children: [TreeNode]
            do { children = try loader.loadTree(subtree) } catch {
                restorer.fail(path, "Its entries cannot be restored: \(error)")
                continue
            }
            for child in children {
                let childPath = path + [0x2F] + child.name
                if child.kind == .dir {
                    stack.append((child, childPath))
                } else {
                    try addEntry(child, path: childPath, mayExist: !isNew)
                }
            }
        }
    }

    /// - Returns: true for a new directory, false for one that was there, nil when there is none.
    private mutating func makeDirectory(_ node: TreeNode, _ path: [UInt8]) throws -> Bool? {
        var isNew = false
        let made = path.withTerminator { text -> Bool in
            // Private until everything is in it; the mode comes last.
            if mkdir(text, 0o700) == 0 {
                isNew = true
                return true
            }
            guard errno == EEXIST else { return false }
            var stat = clinux_stat()
            guard clinux_lstatat(AT_FDCWD, text, &stat) == 0 else { return false }
            if stat.mode & 0o170000 == 0o040000 { return true }
            // The root of a restore may be reached through a link; below it a link would lead out of the target.
            if directories.isEmpty, stat.mode & 0o170000 == 0o120000 { return access(text, F_OK) == 0 }
            return unlink(text) == 0 && mkdir(text, 0o700) == 0
        }
        guard made else {
            try refuse(path)
            return nil
        }
        directories.append((path, node))
        restorer.count { $0.directories += 1 }
        return isNew
    }

    /// Tells that an entry cannot be made; a full disk or an unusable root ends the restore.
    private func refuse(_ path: [UInt8]) throws {
        let code = errno
        let error = ArchiveError.unwritable(String(decoding: path, as: UTF8.self), code)
        if error.code == .noSpace || directories.isEmpty { throw error }
        restorer.fail(path, "It cannot be made: \(systemMessage(code)).")
    }

    private mutating func addEntry(_ node: TreeNode, path: [UInt8], mayExist: Bool) throws {
        if node.kind == .file { return try addFile(node, path, mayExist: mayExist) }
        guard node.kind != .socket, node.kind != .irregular, node.kind != .dir else { return }
        let made = path.withTerminator { text -> Bool in
            if mayExist { unlink(text) }
            switch node.kind {
            case .symlink: return node.linkTarget.withTerminator { symlink($0, text) } == 0
            case .fifo: return mkfifo(text, 0o600) == 0
            case .dev: return mknod(text, S_IFBLK | 0o600, dev_t(node.device)) == 0
            case .chardev: return mknod(text, S_IFCHR | 0o600, dev_t(node.device)) == 0
            default: return true
            }
        }
        guard made else { return try refuse(path) }
        path.withTerminator { restorer.metadata.apply(node, path: $0) }
        restorer.count { $0.others += 1 }
    }

    private mutating func addFile(_ node: TreeNode, _ path: [UInt8], mayExist: Bool) throws {
        restorer.count { $0.totalFiles += 1 }
        let content = node.content ?? []
        // Before anything that is there is touched: what the repository lacks must not cost the file in its place.
        var places: [(pack: ObjectID, blob: PackedBlob)] = []
        var total: UInt64 = 0
        for id in content {
            guard let location = restorer.repository.index.location(of: id, .data) else {
                return restorer.fail(path, "\(RepositoryError.missingBlob(id, .data))")
            }
            places.append((location.pack, location.blob))
            total += UInt64(location.blob.contentByteCount)
        }
        if content.isEmpty, node.size > 0 {
            return restorer.fail(path, "The snapshot has none of its \(node.size) bytes.")
        }
        if total != node.size {
            restorer.warn(path, "The snapshot has \(total) bytes of it and says that it had \(node.size).")
        }
        var isCreated = false
        if mayExist { path.withTerminator { _ = unlink($0) } }
        let inode = Inode(device: node.deviceID, inode: node.inode)
        if node.links > 1 {
            if let (first, file) = firstLinks[inode] {
                let linked = first.withTerminator { first in path.withTerminator { link(first, $0) } }
                guard linked == 0 else { return try refuse(path) }
                if let file { files[file].addName(path) }
                return restorer.count { $0.files += 1 }
            }
            firstLinks[inode] = (path, nil)
            guard path.withTerminator({ Self.create($0) }) else { return try refuse(path) }
            isCreated = true
        }
        if content.isEmpty {
            if !isCreated, !path.withTerminator({ Self.create($0) }) { return try refuse(path) }
            path.withTerminator { restorer.metadata.apply(node, path: $0) }
            return restorer.count { $0.files += 1 }
        }
        let file = RestoreFile(path: path, node: node, blobCount: places.count, isCreated: isCreated)
        var offset: UInt64 = 0
        for (pack, blob) in places {
            let number = number(of: pack)
            uses.append(BlobUse(pack: number, blob: blob, file: UInt32(files.count), fileOffset: offset))
            offset += UInt64(blob.contentByteCount)
        }
        if isCreated { firstLinks[inode] = (path, files.count) }
        files.append(file)
        let planned = total
        restorer.count { $0.totalBytes += planned }
    }

    private static func create(_ path: UnsafePointer<CChar>) -> Bool {
        let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    private mutating func number(of pack: ObjectID) -> UInt32 {
        if let number = packNumbers[pack] { return number }
        let number = UInt32(packs.count)
        packs.append(pack)
        packNumbers[pack] = number
        return number
    }
}
