import CLinux
import Glibc

/// A directory that belongs to one running host: a file in it is locked for as long as the host lives, so that others
/// can tell a directory in use from one that was left behind.
package final class OwnedDirectory: Sendable {
    /// The locked file. It holds "PID START-TIME BOOT-ID HOST-NAME".
    package static let ownerFile = "owner"
    /// One line "PID START-TIME" for each plugin process that was started.
    package static let processesFile = "processes"
    /// While it has no owner file yet, a directory has this prefix and is nobody's leftover for an hour.
    private static let unfinishedPrefix = ".stillpoint-new-"
    private static let unfinishedLifetime: Int64 = 3600

    /// Absolute path.
    package let path: String
    private let lock: OwnedDescriptor

    /// Makes `parent/prefix-RANDOM`, mode 0700. It appears under that name with the lock already taken.
    ///
    /// - Throws: ``SystemCallFailure``.
    package init(in parent: String, prefix: String) throws {
        let random = RandomName.make()
        let unfinished = "\(parent)/\(Self.unfinishedPrefix)\(random)"
        path = "\(parent)/\(prefix)\(random)"
        guard mkdir(unfinished, 0o700) == 0 else { throw SystemCallFailure.last("mkdir \(unfinished)") }
        do {
            lock = try OwnedDescriptor.open("\(unfinished)/\(Self.ownerFile)", O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
                throw SystemCallFailure.last("flock \(unfinished)/\(Self.ownerFile)")
            }
            let pid = getpid()
            let started = ProcessIdentity.startTime(of: pid) ?? 0
            let boot = ProcessIdentity.bootIdentifier()
            let text = Array("\(pid) \(started) \(boot) \(ProcessIdentity.hostName())\n".utf8)
            guard write(lock.number, text, text.count) == text.count else {
                throw SystemCallFailure.last("write \(unfinished)/\(Self.ownerFile)")
            }
            guard rename(unfinished, path) == 0 else { throw SystemCallFailure.last("rename \(unfinished)") }
        } catch {
            DirectoryRemoval.remove(unfinished)
            throw error
        }
    }

    /// Notes a plugin process, so that the next host can end it should this one be killed.
    func record(_ child: SpawnedChild) {
        guard let started = child.startTime else { return }
        let file = "\(path)/\(Self.processesFile)"
        // Without the note a leftover process would only miss being ended by the next host; that is no reason to fail.
        guard let descriptor = try? OwnedDescriptor.open(file, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600) else {
            return
        }
        let line = Array("\(child.pid) \(started)\n".utf8)
        _ = write(descriptor.number, line, line.count)
    }

    /// Removes the directory with all that is in it and lets the lock go.
    package func remove() {
        DirectoryRemoval.remove(path)
        lock.close()
    }

    /// Removes the directories in `parent` whose owner is gone, and ends the processes recorded in them.
    ///
    /// A process is ended (with its group) only when it started when the record says and in this boot: another may have
    /// got its number since. Directories that another user owns or that cannot be locked are left alone, and, where locks
    /// may be of no account to other machines, those of other machines.
    package static func sweep(_ parent: String, prefix: String, found: (_ path: String, _ killed: Int) -> Void) {
        let isShared = NetworkFileSystem.contains(parent)
        for name in DirectoryListing.names(in: parent) {
            let path = "\(parent)/\(name)"
            if name.hasPrefix(unfinishedPrefix) { removeUnfinished(path) }
            guard name.hasPrefix(prefix), isOwnDirectory(path) else { continue }
            // Without an owner file it is not one of these directories; without read permission it is not ours.
            guard let owner = try? OwnedDescriptor.open("\(path)/\(ownerFile)", O_RDWR | CLINUX_O_NOFOLLOW),
                flock(owner.number, LOCK_EX | LOCK_NB) == 0,
                !isShared || ownerFields(owner).dropFirst(3).first == ProcessIdentity.hostName()
            else { continue }
            let killed = endProcesses(recordedIn: path, owner: owner)
            DirectoryRemoval.remove(path)
            found(path, killed)
        }
    }

    private static func isOwnDirectory(_ path: String) -> Bool {
        var status = clinux_stat()
        return clinux_lstatat(AT_FDCWD, path, &status) == 0 && status.mode & S_IFMT == S_IFDIR
            && status.uid == geteuid()
    }

    private static func removeUnfinished(_ path: String) {
        var status = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &status) == 0, status.uid == geteuid() else { return }
        if Int64(time(nil)) - status.mtime_seconds > unfinishedLifetime { DirectoryRemoval.remove(path) }
    }

    private static func endProcesses(recordedIn path: String, owner: OwnedDescriptor) -> Int {
        guard ownerFields(owner).dropFirst(2).first == ProcessIdentity.bootIdentifier() else { return 0 }
        guard let file = try? OwnedDescriptor.open("\(path)/\(processesFile)", O_RDONLY | CLINUX_O_NOFOLLOW) else {
            return 0
        }
        var killed = 0
        for line in text(file).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 2, let pid = pid_t(fields[0]), pid > 1, let started = UInt64(fields[1]),
                ProcessIdentity.startTime(of: pid) == started
            else { continue }
            // Of one that has ended there may still be children in its group.
            let isLiving = !ProcessIdentity.hasEnded(pid)
            if kill(-pid, SIGKILL) == 0, isLiving { killed += 1 }
        }
        return killed
    }

    private static func ownerFields(_ owner: OwnedDescriptor) -> [String] {
        text(owner).split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
    }

    /// The first 64 KiB of a file.
    private static func text(_ file: OwnedDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = pread(file.number, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }
}
