import CLinux
import Glibc
import Repository
import RepositoryFormat
import Threads

/// Walks the trees of a restore: makes what needs no data, and collects which blob belongs where.
struct RestorePlanner {
    /// A directory that exists and whose entries are to be made.
    private struct PendingDirectory {
        let number: UInt32
        let subtree: ObjectID
    }

    private let restorer: Restorer
    private let loader: BlobLoader
    let entries: EntryMaker
    private(set) var files: [RestoreFile] = []
    private(set) var uses: [BlobUse] = []
    private(set) var packs: [ObjectID] = []
    /// Parents before children.
    private(set) var directories: [(number: UInt32, attributes: EntryAttributes, fresh: FreshEntry)] = []
    private var packNumbers: [ObjectID: UInt32] = [:]

    init(_ restorer: Restorer, isUmaskClear: Bool) throws {
        self.restorer = restorer
        loader = try BlobLoader(restorer.repository)
        entries = EntryMaker(restorer, isUmaskClear: isUmaskClear)
    }

    /// Plans an entry with everything below it.
    ///
    /// - Throws: ``ArchiveError`` when the entry itself cannot be made, or the file system is full.
    mutating func add(_ node: TreeNode, path: [UInt8]) throws {
        let text = String(decoding: path, as: UTF8.self)
        if node.kind == .dir, let handle = DirectoryHandle.open(path: path) {
            // The root of a restore may be reached through a link; below it a link would lead out of the target.
            let number = restorer.directories.addRoot(handle)
            directories.append((number, EntryAttributes(node), FreshEntry()))
            restorer.count { $0.directories += 1 }
            return try fill(number, node, path)
        }
        guard node.kind != .dir || errno == ENOENT || errno == ENOTDIR else {
            throw ArchiveError.unwritable(text, errno)
        }
        let slash = path.lastIndex(of: 0x2F) ?? path.startIndex
        let name = Array(path[slash...].drop { $0 == 0x2F })
        guard let parent = DirectoryHandle.open(path: slash == path.startIndex ? [0x2F] : Array(path[..<slash])) else {
            throw ArchiveError.unwritable(text, errno)
        }
        let number = restorer.directories.addRoot(parent)
        guard node.kind == .dir else { return try addEntry(node, name: name, in: number, isRoot: true) }
        guard let made = try makeDirectory(node, name: name, in: number, isRoot: true) else { return }
        try fill(made, node, path)
    }

    /// Makes the entries of a directory and of all below it.
    private mutating func fill(_ number: UInt32, _ node: TreeNode, _ path: [UInt8]) throws {
        guard let subtree = node.subtree else { return restorer.fail(path, "The snapshot has none of its entries.") }
        var stack = [PendingDirectory(number: number, subtree: subtree)]
        while let directory = stack.popLast() {
            try restorer.cancellation.check()
            do {
                var reader = try TreeReader(try loadTree(directory.subtree))
                while let child = try reader.next() {
                    guard child.kind == .dir else {
                        try addEntry(child, name: child.name, in: directory.number, isRoot: false)
                        continue
                    }
                    guard let made = try makeDirectory(child, name: child.name, in: directory.number, isRoot: false)
                    else { continue }
                    guard let subtree = child.subtree else {
                        restorer.fail(
                            restorer.directories.path(made, []), "The snapshot has none of its entries.")
                        continue
                    }
                    stack.append(PendingDirectory(number: made, subtree: subtree))
                }
            } catch let error where Restorer.isAboutOneObject(error) {
                restorer.fail(
                    restorer.directories.path(directory.number, []), "Its entries cannot be restored: \(error)")
            }
        }
    }

    /// The bytes of a tree. A loader keeps the memory that its largest blob needed, so that one is not used for a
    /// directory of very many entries.
    private func loadTree(_ id: ObjectID) throws -> [UInt8] {
        let byteCount = restorer.repository.index.contentByteCount(of: id, .tree) ?? 0
        return try (byteCount > 16 << 20 ? BlobLoader(restorer.repository) : loader).load(id, .tree)
    }

    /// - Returns: its number; nil when there is none, which was told.
    private mutating func makeDirectory(
        _ node: TreeNode, name: [UInt8], in parent: UInt32, isRoot: Bool
    ) throws -> UInt32? {
        guard let handle = restorer.directories.handle(parent) else {
            try refuse(name, in: parent, isRoot: isRoot)
            return nil
        }
        let (isParentNew, owner) = restorer.directories.facts(parent)
        // Private until everything is in it; the mode comes last.
        if name.withTerminator({ mkdirat(handle.descriptor, $0, 0o700) }) == 0 {
            return addDirectory(node, name, parent, isParentNew ? FreshEntry(owner: owner, permissions: 0o700) : nil)
        }
        var stat = clinux_stat()
        guard errno == EEXIST, handle.look(at: name, &stat) else {
            try refuse(name, in: parent, isRoot: isRoot)
            return nil
        }
        if stat.mode & 0o170000 == 0o040000 {
            let number = restorer.directories.add(name, in: parent, isNew: false, owner: nil)
            directories.append((number, EntryAttributes(node), FreshEntry()))
            restorer.count { $0.directories += 1 }
            return number
        }
        // What stands there goes only for a directory whose entries can be read.
        if let subtree = node.subtree {
            do { _ = try loader.load(subtree, .tree) } catch let error where Restorer.isAboutOneObject(error) {
                restorer.fail(
                    restorer.directories.path(parent, name),
                    "Its entries cannot be restored, and what stands in its place was left there: \(error)")
                return nil
            }
        }
        let made = name.withTerminator {
            unlinkat(handle.descriptor, $0, 0) == 0 && mkdirat(handle.descriptor, $0, 0o700) == 0
        }
        guard made else {
            try refuse(name, in: parent, isRoot: isRoot)
            return nil
        }
        return addDirectory(node, name, parent, nil)
    }

    /// Adds a directory that was made.
    ///
    /// - Parameter fresh: what is known of it; nil when it was made in a directory that was there before, so that it is
    ///   to be looked at.
    private mutating func addDirectory(
        _ node: TreeNode, _ name: [UInt8], _ parent: UInt32, _ fresh: FreshEntry?
    ) -> UInt32 {
        restorer.count { $0.directories += 1 }
        var known = fresh ?? FreshEntry()
        if fresh == nil, let above = restorer.directories.handle(parent),
            let handle = DirectoryHandle.open(name, in: above)
        {
            // It may have got a group, a set-group-id bit and access lists from the directory above; what is made in it
            // must not get them from it.
            var stat = clinux_stat()
            restorer.metadata.removeAccessLists(handle.descriptor, except: [])
            if clinux_fstat(handle.descriptor, &stat) == 0, fchmod(handle.descriptor, 0o700) == 0 {
                known.permissions = 0o700
                if stat.mode & 0o2000 == 0 { known.owner = Owner(user: stat.uid, group: stat.gid) }
            }
        }
        let number = restorer.directories.add(name, in: parent, isNew: true, owner: known.owner)
        directories.append((number, EntryAttributes(node), known))
        return number
    }

    /// Tells that an entry cannot be made; a full disk or an unusable root ends the restore.
    private func refuse(_ name: [UInt8], in directory: UInt32, isRoot: Bool) throws {
        let code = errno
        let path = restorer.directories.path(directory, name)
        let error = ArchiveError.unwritable(String(decoding: path, as: UTF8.self), code)
        if error.code == .noSpace || isRoot { throw error }
        restorer.fail(path, "It cannot be made: \(systemMessage(code)).")
    }

    private mutating func addEntry(_ node: TreeNode, name: [UInt8], in directory: UInt32, isRoot: Bool) throws {
        switch node.kind {
        case .irregular where !node.unknownKind.isEmpty:
            return restorer.warn(
                restorer.directories.path(directory, name),
                "It is of a kind that only newer programs know, and was left out.")
        case .dir, .socket, .irregular: return
        default: break
        }
        if node.kind == .file { restorer.count { $0.totalFiles += 1 } }
        // Before anything that is there is touched: what the repository lacks must not cost the file in its place.
        guard let blobs = node.kind == .file ? findBlobs(node, name, directory) : [] else { return }
        guard let place = entries.place(name, in: directory) else {
            return try refuse(name, in: directory, isRoot: isRoot)
        }
        if node.links > 1, try linkToKnown(node, place, isRoot: isRoot) { return }
        guard !blobs.isEmpty else {
            guard entries.make(node, at: place) else { return try refuse(name, in: directory, isRoot: isRoot) }
            return
        }
        let file = RestoreFile(place: place, workName: entries.workName(place), node: node, blobCount: blobs.count)
        if node.links > 1 { restorer.links.add(file, device: node.deviceID, inode: node.inode) }
        var offset: UInt64 = 0
        for (pack, blob) in blobs {
            uses.append(BlobUse(pack: number(of: pack), file: UInt32(files.count), fileOffset: offset, blob: blob))
            offset += UInt64(blob.contentByteCount)
        }
        files.append(file)
        restorer.count { $0.totalBytes += offset }
    }

    /// Where the content of a file lies; nil when it cannot be restored, which was told.
    private func findBlobs(
        _ node: TreeNode, _ name: [UInt8], _ directory: UInt32
    ) -> [(pack: ObjectID, blob: PackedBlob)]? {
        let content = node.content ?? []
        var blobs: [(pack: ObjectID, blob: PackedBlob)] = []
        blobs.reserveCapacity(content.count)
        var total: UInt64 = 0
        for id in content {
            guard let location = restorer.repository.index.location(of: id, .data) else {
                restorer.fail(restorer.directories.path(directory, name), "\(RepositoryError.missingBlob(id, .data))")
                return nil
            }
            blobs.append((location.pack, location.blob))
            total += UInt64(location.blob.contentByteCount)
        }
        if content.isEmpty, node.size > 0 {
            restorer.fail(
                restorer.directories.path(directory, name), "The snapshot has none of its \(node.size) bytes.")
            return nil
        }
        if total != node.size {
            restorer.warn(
                restorer.directories.path(directory, name),
                "The snapshot has \(total) bytes of it and says that it had \(node.size).")
        }
        return blobs
    }

    /// Makes a further name of something that this restore or an earlier one of the same snapshot made or will make.
    ///
    /// - Returns: false when there is nothing to link to: the entry is to be made on its own.
    private func linkToKnown(_ node: TreeNode, _ place: RestoreFile.Place, isRoot: Bool) throws -> Bool {
        guard let known = restorer.links.find(device: node.deviceID, inode: node.inode) else { return false }
        switch known {
        case .file(let file):
            // A file on its way links its names when it is whole.
            if file.add(place) { return true }
            guard file.progress == .complete, entries.link(place, to: file.place) else { return false }
        case .entry(let first):
            guard entries.link(place, to: first) else { return false }
        }
        if node.kind == .file { restorer.count { $0.files += 1 } } else { restorer.count { $0.others += 1 } }
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
