import Synchronization

/// What several restores of one snapshot share: which hard links were made where.
///
/// Give the same object to all restores of a snapshot, and hard links between its volumes come back as such.
package final class RestoredLinks: Sendable {
    private struct Inode: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// What stands for an inode of the snapshot.
    enum First: Sendable {
        case file(RestoreFile)
        /// An empty file or a special one, which is in its place.
        case entry(RestoreFile.Place)
    }

    let directories = RestoreDirectories()
    private let firsts = Mutex<[Inode: First]>([:])

    package init() {}

    func add(_ file: RestoreFile, device: UInt64, inode: UInt64) {
        firsts.withLock { $0[Inode(device: device, inode: inode)] = .file(file) }
    }

    func add(_ place: RestoreFile.Place, device: UInt64, inode: UInt64) {
        firsts.withLock { $0[Inode(device: device, inode: inode)] = .entry(place) }
    }

    func find(device: UInt64, inode: UInt64) -> First? {
        firsts.withLock { $0[Inode(device: device, inode: inode)] }
    }
}
