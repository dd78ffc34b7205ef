import CLinux
import Glibc
import RepositoryFormat
import Synchronization

/// Makes entries in directories; what stands in their place goes when the new one is complete, by rename(2).
struct EntryMaker {
    private static let counter = Atomic<UInt64>(0)

    private let restorer: Restorer
    /// The mode that a file is made with is the mode that it gets.
    private let isUmaskClear: Bool

    init(_ restorer: Restorer, isUmaskClear: Bool) {
        self.restorer = restorer
        self.isUmaskClear = isUmaskClear
    }

    /// Looks whether something stands in the place of an entry.
    ///
    /// - Returns: nil with errno set when nothing can be made there: a directory is in the way.
    func place(_ name: [UInt8], in directory: UInt32) -> RestoreFile.Place? {
        guard !restorer.directories.facts(directory).isNew else {
            return RestoreFile.Place(directory: directory, name: name, isTaken: false)
        }
        guard let handle = restorer.directories.handle(directory) else { return nil }
        var stat = clinux_stat()
        guard handle.look(at: name, &stat) else {
            guard errno == ENOENT else { return nil }
            return RestoreFile.Place(directory: directory, name: name, isTaken: false)
        }
        guard stat.mode & 0o170000 != 0o040000 else {
            errno = EISDIR
            return nil
        }
        return RestoreFile.Place(directory: directory, name: name, isTaken: true)
    }

    /// The name to make an entry under: its own, or one beside what stands in its place.
    func workName(_ place: RestoreFile.Place) -> [UInt8] {
        guard place.isTaken else { return place.name }
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        return Array(".stillpoint-\(getpid())-\(String(number, radix: 16))".utf8)
    }

    /// Puts what was made beside in the place of what stands there.
    ///
    /// - Returns: false with errno set.
    func settle(_ place: RestoreFile.Place, from workName: [UInt8], in handle: DirectoryHandle) -> Bool {
        guard place.isTaken else { return true }
        let done = workName.withTerminator { from in
            place.name.withTerminator { renameat(handle.descriptor, from, handle.descriptor, $0) } == 0
        }
        guard done else {
            discard(workName, in: handle)
            return false
        }
        // Two names of the same file: rename(2) then does nothing at all.
        _ = workName.withTerminator { unlinkat(handle.descriptor, $0, 0) }
        return true
    }

    /// Removes something half made; errno stays.
    func discard(_ workName: [UInt8], in handle: DirectoryHandle) {
        let code = errno
        _ = workName.withTerminator { unlinkat(handle.descriptor, $0, 0) }
        errno = code
    }

    /// Makes a further name for what is in its place already.
    ///
    /// - Returns: false with errno set; on another file system that is so, which is told as a warning.
    func link(_ place: RestoreFile.Place, to first: RestoreFile.Place) -> Bool {
        guard let from = restorer.directories.handle(first.directory),
            let to = restorer.directories.handle(place.directory)
        else { return false }
        let name = workName(place)
        let linked = first.name.withTerminator { first in
            name.withTerminator { linkat(from.descriptor, first, to.descriptor, $0, 0) }
        }
        guard linked == 0 else {
            if errno == EXDEV {
                restorer.warn(
                    to.childPath(place.name),
                    "It was a hard link to \(from.childText(first.name)), and is a file of its own on another file system."
                )
            }
            return false
        }
        return settle(place, from: name, in: to)
    }

    /// Creates and opens a file with the mode that it is to have, if that can be.
    ///
    /// - Parameter isOpenedAgain: others will open it for writing before it is complete, so that its mode comes last.
    /// - Returns: the descriptor and what is known of the file; nil with errno set.
    func create(
        _ workName: [UInt8], in directory: UInt32, _ attributes: EntryAttributes, isOpenedAgain: Bool
    ) -> (descriptor: Int32, fresh: FreshEntry)? {
        guard let handle = restorer.directories.handle(directory) else { return nil }
        let (isNew, owner) = restorer.directories.facts(directory)
        // In a directory that others can read, nobody must see what they may not.
        let isExact =
            isNew && isUmaskClear && !isOpenedAgain && attributes.extended.isEmpty && attributes.permissions <= 0o777
        let mode = isExact ? attributes.permissions : 0o600
        let descriptor = workName.withTerminator {
            clinux_openat(
                handle.descriptor, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | CLINUX_O_NOFOLLOW, mode)
        }
        guard descriptor >= 0 else { return nil }
        return (
            descriptor, FreshEntry(owner: owner, permissions: isExact ? mode : nil, mayInherit: !isNew)
        )
    }

    /// Makes a file without content, a link or a special file.
    ///
    /// - Returns: false with errno set.
    func make(_ node: TreeNode, at place: RestoreFile.Place) -> Bool {
        guard let handle = restorer.directories.handle(place.directory) else { return false }
        let name = workName(place)
        let attributes = EntryAttributes(node)
        if node.kind == .file {
            guard let (descriptor, fresh) = create(name, in: place.directory, attributes, isOpenedAgain: false) else {
                return false
            }
            restorer.metadata.apply(attributes, to: descriptor, fresh, path: handle.childPath(place.name))
            close(descriptor)
        } else {
            guard makeSpecial(node, name, handle) else { return false }
            let (isNew, owner) = restorer.directories.facts(place.directory)
            restorer.metadata.apply(
                attributes, to: name, in: handle, FreshEntry(owner: owner), isPrivate: isNew)
        }
        guard settle(place, from: name, in: handle) else { return false }
        if node.links > 1 { restorer.links.add(place, device: node.deviceID, inode: node.inode) }
        restorer.count { if node.kind == .file { $0.files += 1 } else { $0.others += 1 } }
        return true
    }

    private func makeSpecial(_ node: TreeNode, _ name: [UInt8], _ handle: DirectoryHandle) -> Bool {
        name.withTerminator { name in
            let directory = handle.descriptor
            return switch node.kind {
            case .symlink: node.linkTarget.withTerminator { symlinkat($0, directory, name) } == 0
            case .fifo: mkfifoat(directory, name, 0o600) == 0
            case .dev: mknodat(directory, name, S_IFBLK | 0o600, dev_t(node.device)) == 0
            case .chardev: mknodat(directory, name, S_IFCHR | 0o600, dev_t(node.device)) == 0
            default: true
            }
        }
    }
}
