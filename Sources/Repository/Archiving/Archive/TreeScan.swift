import CLinux
import Glibc
import Synchronization
import Threads

/// Counts what an archive run will find, so that progress can say how much is left.
///
/// Runs beside the archive on a thread of its own and reads nothing but directories; the sums grow while it runs and
/// may be taken at any time.
package final class TreeScan: Sendable {
    /// A path and how it will be read.
    package struct Source: Sendable {
        package let path: String
        package let options: ArchiveOptions

        /// A directory or a file with the options of its archive.
        package init(path: String, options: ArchiveOptions = ArchiveOptions()) {
            self.path = path
            self.options = options
        }
    }

    private struct State {
        var entries: UInt64 = 0
        var bytes: UInt64 = 0
        var isComplete = false
    }

    private let state = Mutex(State())
    private let stop = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Begins to count.
    package init(_ sources: [Source]) {
        let worker = WorkerThread(name: "scan") { [self] in
            for source in sources where !stop.load(ordering: .relaxed) { count(source) }
            state.withLock { $0.isComplete = true }
        }
        thread.withLock { $0 = worker }
    }

    /// Bytes and entries in all; nil until everything was counted.
    package var total: (entries: UInt64, bytes: UInt64)? {
        state.withLock { $0.isComplete ? ($0.entries, $0.bytes) : nil }
    }

    /// Ends the counting, finished or not. Call once.
    package func end() {
        stop.store(true, ordering: .relaxed)
        // The thread throws nothing: what it cannot look at, the archive will warn of.
        try? thread.withLock({ thread in
            defer { thread = nil }; return thread
        })?.join()
    }

    private func count(_ source: Source) {
        let rules = ExcludeRules(source.options.excludes)
        guard let root = DirectoryHandle.open(path: Array(source.path.utf8)) else {
            var stat = clinux_stat()
            if clinux_lstatat(AT_FDCWD, source.path, &stat) == 0 { add(1, stat.size) }
            return
        }
        var rootStat = clinux_stat()
        clinux_fstat(root.descriptor, &rootStat)
        var directories = DirectoryStack()
        var path: [[UInt8]] = []
        var levels: [(subdirectories: [[UInt8]], position: Int)] = []
        func enter(_ handle: DirectoryHandle, _ name: [UInt8]) {
            directories.push(handle, name: name)
            levels.append((list(handle, path, rules, source.options, rootStat.device), 0))
        }
        enter(root, [])
        while let level = levels.last, !stop.load(ordering: .relaxed) {
            guard level.position < level.subdirectories.count, let handle = directories.top else {
                levels.removeLast()
                directories.pop()
                if !path.isEmpty { path.removeLast() }
                continue
            }
            levels[levels.count - 1].position += 1
            let name = level.subdirectories[level.position]
            guard let child = DirectoryHandle.open(name, in: handle) else { continue }
            path.append(name)
            enter(child, name)
        }
    }

    /// Counts the entries of a directory.
    ///
    /// - Returns: the directories among them.
    private func list(
        _ handle: DirectoryHandle, _ path: [[UInt8]], _ rules: ExcludeRules, _ options: ArchiveOptions,
        _ rootDevice: UInt64
    ) -> [[UInt8]] {
        var subdirectories: [[UInt8]] = []
        var entries: UInt64 = 1
        var bytes: UInt64 = 0
        guard let names = handle.sortedNames() else { return [] }
        for name in names where !stop.load(ordering: .relaxed) {
            var stat = clinux_stat()
            guard handle.look(at: name, &stat) else { continue }
            let isDirectory = stat.mode & 0o170000 == 0o040000
            if !rules.isEmpty, rules.excludes(path: path + [name], isDirectory: isDirectory) { continue }
            if options.oneFileSystem, stat.device != rootDevice { continue }
            if isDirectory {
                subdirectories.append(name)
            } else {
                entries += 1
                if stat.mode & 0o170000 == 0o100000 { bytes += stat.size }
            }
        }
        add(entries, bytes)
        return subdirectories
    }

    private func add(_ entries: UInt64, _ bytes: UInt64) {
        state.withLock { state in
            state.entries += entries
            state.bytes += bytes
        }
    }
}
