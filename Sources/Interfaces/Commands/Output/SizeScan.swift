import CLinux
import Glibc
import Synchronization
import Threads

/// Adds up the sizes of the files below some directories while they are captured, for the time left on a terminal.
///
/// An estimate: what is excluded counts too, and what cannot be listed does not.
final class SizeScan: Sendable {
    private let total = Atomic<UInt64>(0)
    private let isDone = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Begins at once, on a thread of its own.
    init(_ paths: [String]) {
        let worker = WorkerThread(name: "size-scan") { [self] in scan(paths) }
        thread.withLock { $0 = worker }
    }

    /// Bytes of all files; nil until they are all seen.
    var totalBytes: UInt64? { isDone.load(ordering: .acquiring) ? total.load(ordering: .relaxed) : nil }

    /// Ends the scan.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        // The body of the thread throws nothing.
        try? thread.withLock({ thread in
            defer { thread = nil }; return thread
        })?.join()
    }

    private func scan(_ paths: [String]) {
        var directories = paths
        while let path = directories.popLast() {
            guard !isStopped.load(ordering: .relaxed) else { return }
            guard let directory = opendir(path) else { continue }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
                }
                var stat = clinux_stat()
                guard name != ".", name != "..", clinux_lstatat(dirfd(directory), name, &stat) == 0 else { continue }
                switch stat.mode & 0o170000 {
                case 0o040000: directories.append(path + "/" + name)
                case 0o100000: total.wrappingAdd(stat.size, ordering: .relaxed)
                default: break
                }
            }
        }
        isDone.store(true, ordering: .releasing)
    }
}
