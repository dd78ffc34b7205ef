import Archiving
import CLinux
import Glibc
import SnapshotModel

/// A directory or file of an application on its way back: put beside the old one first, exchanged with it later.
///
/// Until ``discard()`` the old one is whole, and ``rollBack()`` brings it back. Where everything is can be found out
/// from the file system and the record alone, so that another process can do both.
final class StagedEntry {
    /// What a journal needs to know.
    private(set) var record: StagedRecord
    var target: String { record.target }
    var stage: String { record.stage }
    private var isSwapped = false
    private var isDone = false

    /// Finds out where the new one is to be built. Changes nothing.
    ///
    /// - Parameters:
    ///   - isDirectory: whether a directory is to be put there. Then a symbolic link at the target is followed, as it was
    ///     when the volume was captured: the link stays, and what it points at is replaced.
    ///   - number: tells the entries of one run apart.
    /// - Throws: ``PipelineError/Code/unwritable`` for a link that leads nowhere, and for file systems mounted within the
    ///   target, which cannot be exchanged with it.
    init(
        target: String, isDirectory: Bool, application: ApplicationName, run: RunID, number: Int,
        mounts: MountTable = .current()
    ) throws {
        let place = try Self.place(target, followingLink: isDirectory)
        if let mount = mounts.firstBelow(place) {
            throw PipelineError(
                .unwritable,
                "\(target) cannot be replaced because a file system is mounted within it, at \(mount); unmount it first, "
                    + "or restore with --target DIR")
        }
        let kind = FileTree.kind(at: place)
        let isMountPoint = kind == .mountPoint || kind == .directory && mounts.isMountPoint(place)
        let name = ".stillpoint-\(run)-\(number)"
        record = StagedRecord(
            application: application, number: Int64(number), target: place,
            stage: isMountPoint ? "\(place)/\(name)-new" : "\(Self.parent(of: place))/\(name)",
            isMountPoint: isMountPoint, targetExisted: kind != nil)
    }

    /// An entry of a run whose process is gone, wherever it stands.
    init(resuming record: StagedRecord) {
        self.record = record
        isSwapped = record.identity != nil
    }

    /// Makes the directory in which the new one is built.
    ///
    /// - Throws: ``PipelineError/Code/unwritable``.
    func prepare() throws {
        if !record.isMountPoint { try Self.makeDirectories(Self.parent(of: target)) }
        try FileTree.remove(stage)
    }

    /// Notes what was built, by which it is known from now on.
    func complete() throws {
        guard let identity = Self.identity(of: stage) else { throw Self.failure(stage, errno) }
        record.identity = identity
    }

    // MARK: Exchanging

    /// Puts the new one in place of the old one.
    ///
    /// - Throws: ``PipelineError/Code/unwritable``; the caller rolls back.
    func swap() throws {
        isSwapped = true
        guard record.isMountPoint else {
            if record.targetExisted { try exchange() } else { try Self.move(stage, target, replacing: false) }
            FileTree.synchronize(Self.parent(of: target) + "/.")
            return
        }
        // The name says how far it came: "moving" has a part of the old children, "old" all of them.
        guard mkdir(moving, 0o700) == 0 || errno == EEXIST else { throw Self.failure(moving, errno) }
        Self.copyAttributes(target, to: moving)
        try moveChildren(target, to: moving)
        try Self.move(moving, old)
        try moveChildren(stage, to: target)
        Self.copyAttributes(stage, to: target)
        FileTree.synchronize(target)
    }

    /// Brings the old one back, however far ``swap()`` came. Doing it again does nothing.
    ///
    /// - Throws: ``PipelineError/Code/unwritable``; the old one is whole, at the place that the sentence names.
    func rollBack() throws {
        guard isSwapped else { return }
        if record.isMountPoint { try rollBackChildren() } else { try rollBackExchange() }
        isSwapped = false
    }

    private func rollBackExchange() throws {
        // Where file systems cannot exchange there is a moment in which the old one lies aside.
        if Self.identity(of: target) == nil, Self.identity(of: aside) != nil { try Self.move(aside, target) }
        guard let identity = record.identity, Self.identity(of: target) == identity else { return }
        if Self.identity(of: aside) != nil {
            try Self.move(target, stage)
            try Self.move(aside, target)
        } else if record.targetExisted {
            try exchange()
        } else {
            try Self.move(target, stage)
        }
        FileTree.synchronize(Self.parent(of: target) + "/.")
    }

    private func rollBackChildren() throws {
        if Self.identity(of: old) != nil {
            try moveChildren(target, to: stage)
            try moveChildren(old, to: target)
            Self.copyAttributes(old, to: target)
            rmdir(old)
        } else if Self.identity(of: moving) != nil {
            try moveChildren(moving, to: target)
            Self.copyAttributes(moving, to: target)
            rmdir(moving)
        }
        FileTree.synchronize(target)
    }

    /// Removes the old one after success, or what was staged after a failure.
    ///
    /// - Throws: `ArchiveError` for what cannot be removed; nothing that is in place is touched.
    func discard() throws {
        guard !isDone else { return }
        isDone = true
        try FileTree.remove(stage)
        if record.isMountPoint { try FileTree.remove(old) } else { try FileTree.remove(aside) }
    }

    /// Where the old data is, for people.
    var oldPlace: String { record.isMountPoint ? old : stage }

    private var moving: String { stage.dropLast("new".count) + "moving" }
    private var old: String { stage.dropLast("new".count) + "old" }
    private var aside: String { stage + "-aside" }

    /// Moves what belongs to the volume: not what lies there on our behalf, nor what belongs to the file system itself.
    /// Names are bytes: not all of them are UTF-8.
    private func moveChildren(_ from: String, to destination: String) throws {
        guard let directory = opendir(from) else { throw Self.failure(from, errno) }
        defer { closedir(directory) }
        var names: [[CChar]] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { text in
                    Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
                }
            }
            let text = Self.text(name)
            if ![".", "..", "lost+found"].contains(text), !text.hasPrefix(".stillpoint-") { names.append(name) }
        }
        let target = clinux_open(destination, O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY, 0)
        guard target >= 0 else { throw Self.failure(destination, errno) }
        defer { close(target) }
        for name in names where renameat(dirfd(directory), name, target, name) != 0 {
            throw Self.failure("\(from)/\(Self.text(name))", errno)
        }
    }

    /// A name for people.
    private static func text(_ name: [CChar]) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func exchange() throws {
        if clinux_rename_exchange(AT_FDCWD, stage, AT_FDCWD, target) == 0 { return }
        // File systems that cannot exchange: there is a moment without the entry, which a crash would show.
        guard errno == EINVAL || errno == ENOSYS else { throw Self.failure(target, errno) }
        try Self.move(target, aside)
        try Self.move(stage, target)
        try Self.move(aside, stage)
    }
}

extension StagedEntry {
    private static func place(_ target: String, followingLink: Bool) throws -> String {
        var stat = clinux_stat()
        let exists = clinux_lstatat(AT_FDCWD, target, &stat) == 0
        let isLink = exists && stat.mode & 0o170000 == 0o120000
        if followingLink, isLink {
            guard let path = canonical(target) else {
                throw PipelineError(
                    .unwritable,
                    "\(target) is a symbolic link that leads nowhere; mount or make what it points at, or remove it")
            }
            return path
        }
        if exists, !isLink { return canonical(target) ?? target }
        // The parent's links are resolved, so that the mount table can be asked.
        let name = target[(target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex)...]
        return canonical(parent(of: target)).map { ($0 == "/" ? "" : $0) + "/" + name } ?? target
    }

    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path.isEmpty ? "/" : path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Without the slash at its end; empty for the root.
    private static func parent(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func identity(of path: String) -> StagedRecord.Identity? {
        var stat = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &stat) == 0 else { return nil }
        return StagedRecord.Identity(device: stat.device, inode: stat.inode)
    }

    private static func move(_ from: String, _ to: String, replacing: Bool = true) throws {
        let result = replacing ? rename(from, to) : clinux_rename_noreplace(AT_FDCWD, from, AT_FDCWD, to)
        if result == 0 { return }
        // Not every file system can refuse to replace.
        if !replacing, errno == EINVAL || errno == ENOSYS, rename(from, to) == 0 { return }
        throw failure(from, errno)
    }

    /// Owner, mode and times of a mount point, which stays where it is.
    private static func copyAttributes(_ from: String, to path: String) {
        var stat = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, from, &stat) == 0 else { return }
        // Without the right to give files away the mode still counts.
        _ = chown(path, stat.uid, stat.gid)
        _ = chmod(path, mode_t(stat.mode & 0o7777))
        let times = [
            timespec(tv_sec: Int(stat.atime_seconds), tv_nsec: Int(stat.atime_nanoseconds)),
            timespec(tv_sec: Int(stat.mtime_seconds), tv_nsec: Int(stat.mtime_nanoseconds)),
        ]
        _ = utimensat(AT_FDCWD, path, times, 0)
    }

    private static func makeDirectories(_ path: String) throws {
        var made = ""
        for name in path.split(separator: "/") {
            made += "/" + name
            if mkdir(made, 0o755) != 0, errno != EEXIST { throw failure(made, errno) }
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> PipelineError {
        PipelineError(.unwritable, "\(path) cannot be put in place: \(systemMessage(code)); nothing was lost")
    }
}
