import Archiving
import CLinux
import Glibc
import SnapshotModel

/// A directory or file of an application on its way back: put beside the old one first, exchanged with it later.
///
/// Until ``discardOld()`` the old one is whole, and ``rollBack()`` brings it back.
final class StagedEntry {
    private enum Phase { case staging, swapped, done }
    private enum Way {
        /// The new one is beside the old one, in the same directory.
        case beside
        /// The old one is a mount point: its children are exchanged, from a directory within it.
        case children(old: String)
    }

    /// Where it belongs.
    let target: String
    /// Where the new one is built; after the exchange the old one is here.
    let stage: String
    private let way: Way
    private let targetExisted: Bool
    private var phase = Phase.staging
    /// Children moved so far, for a mount point.
    private var movedOut: [String] = []
    private var movedIn: [String] = []

    /// - Parameter number: tells the entries of one run apart.
    /// - Throws: ``PipelineError/Code/unwritable`` when the directory above cannot be made.
    init(target: String, run: RunID, number: Int) throws {
        self.target = target
        let kind = FileTree.kind(at: target)
        targetExisted = kind != nil
        let name = ".stillpoint-\(run)-\(number)"
        if kind == .mountPoint {
            stage = "\(target)/\(name)-new"
            way = .children(old: "\(target)/\(name)-old")
        } else {
            let parent = String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)])
            try Self.makeDirectories(parent)
            stage = "\(parent)/\(name)"
            way = .beside
        }
        try FileTree.remove(stage)
    }

    /// Puts the new one in place of the old one.
    ///
    /// - Throws: ``PipelineError/Code/unwritable``; the caller rolls back.
    func swap() throws {
        switch way {
        case .beside:
            if targetExisted {
                if clinux_rename_exchange(AT_FDCWD, stage, AT_FDCWD, target) != 0 { try exchangeInTwoSteps() }
            } else {
                guard rename(stage, target) == 0 else { throw Self.failure(target, errno) }
            }
            phase = .swapped
            FileTree.synchronize(String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)]) + "/.")
        case .children(let old):
            phase = .swapped
            guard mkdir(old, 0o700) == 0 || errno == EEXIST else { throw Self.failure(old, errno) }
            for name in FileTree.names(in: target) ?? [] where !isOwn(name) {
                guard rename("\(target)/\(name)", "\(old)/\(name)") == 0 else {
                    throw Self.failure("\(target)/\(name)", errno)
                }
                movedOut.append(name)
            }
            for name in FileTree.names(in: stage) ?? [] {
                guard rename("\(stage)/\(name)", "\(target)/\(name)") == 0 else {
                    throw Self.failure("\(stage)/\(name)", errno)
                }
                movedIn.append(name)
            }
            FileTree.synchronize(target)
        }
    }

    /// Brings the old one back after ``swap()``, or after a part of it.
    func rollBack() throws {
        guard phase == .swapped else { return }
        switch way {
        case .beside:
            if targetExisted {
                if clinux_rename_exchange(AT_FDCWD, stage, AT_FDCWD, target) != 0 { try exchangeInTwoSteps() }
            } else {
                guard rename(target, stage) == 0 else { throw Self.failure(target, errno) }
            }
        case .children(let old):
            for name in movedIn.reversed() {
                guard rename("\(target)/\(name)", "\(stage)/\(name)") == 0 else {
                    throw Self.failure("\(target)/\(name)", errno)
                }
            }
            for name in movedOut.reversed() {
                guard rename("\(old)/\(name)", "\(target)/\(name)") == 0 else {
                    throw Self.failure("\(old)/\(name)", errno)
                }
            }
            rmdir(old)
        }
        phase = .staging
    }

    /// Removes the old one after success, or what was staged after a failure.
    func discard() throws {
        guard phase != .done else { return }
        phase = .done
        try FileTree.remove(stage)
        if case .children(let old) = way { try FileTree.remove(old) }
    }

    private func isOwn(_ name: String) -> Bool {
        // The directory that every ext file system has at its root belongs to the file system.
        name.hasPrefix(".stillpoint-") || name == "lost+found"
    }

    /// For file systems that cannot exchange: there is a moment without the entry, which a crash would show.
    private func exchangeInTwoSteps() throws {
        guard errno == EINVAL || errno == ENOSYS else { throw Self.failure(target, errno) }
        let aside = stage + "-aside"
        guard rename(target, aside) == 0 else { throw Self.failure(target, errno) }
        guard rename(stage, target) == 0 else {
            let code = errno
            rename(aside, target)
            throw Self.failure(target, code)
        }
        guard rename(aside, stage) == 0 else { throw Self.failure(aside, errno) }
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
