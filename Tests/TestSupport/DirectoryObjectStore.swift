import CLinux
import Foundation
import Glibc
package import ObjectStorage

/// restic's local layout in this process: for tests of the repository, and for measuring what the plugin boundary costs.
package final class DirectoryObjectStore: ObjectStore {
    let root: String
    /// Beside the objects, where no listing looks.
    package let spoolDirectory: String
    /// Two, as a storage plugin without a word of its own.
    package let connectionCount = 2
    private let isDurable: Bool

    /// - Parameter isDurable: sync files and directories as a storage plugin must; tests do without.
    package init(root: String, isDurable: Bool = false) throws {
        self.isDurable = isDurable
        self.root = root
        spoolDirectory = root + "/.spool"
        for folder in ["", "keys", "snapshots", "index", "locks", "data", ".spool"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    package func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        let target = "\(root)/\(key)"
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if isDurable { sync(file.path) }
        if link(file.path, target) != 0, errno != EEXIST {
            throw ObjectStoreError(code: .unavailable, message: "\(target): \(String(cString: strerror(errno)))")
        }
        if isDurable { sync((target as NSString).deletingLastPathComponent) }
    }

    private func sync(_ path: String) {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    package func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] {
        let descriptor = clinux_open("\(root)/\(key)", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw ObjectStoreError(code: .notFound, message: "There is no object \(key).") }
        defer { close(descriptor) }
        let whole = try 0..<size(of: key)
        let wanted = range ?? whole
        guard wanted.upperBound <= whole.upperBound else {
            throw ObjectStoreError(code: .invalidRange, message: "The range leaves the object \(key).")
        }
        return [UInt8](unsafeUninitializedCapacity: wanted.count) { buffer, count in
            while count < buffer.count {
                let part = pread(
                    descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count,
                    off_t(wanted.lowerBound) + off_t(count))
                if part <= 0 { break }
                count += part
            }
        }
    }

    package func size(of key: String) throws -> Int64 {
        var info = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, "\(root)/\(key)", &info) == 0 else {
            throw ObjectStoreError(code: .notFound, message: "There is no object \(key).")
        }
        return Int64(info.size)
    }

    package func list(prefix: String) throws -> [StoredObject] {
        var result: [StoredObject] = []
        let base = "\(root)/\(prefix)"
        for path in try FileManager.default.subpathsOfDirectory(atPath: base) {
            var info = clinux_stat()
            guard clinux_lstatat(AT_FDCWD, base + path, &info) == 0, info.mode & 0o170000 == 0o100000 else { continue }
            result.append(StoredObject(key: prefix + path, size: Int64(info.size)))
        }
        return result
    }

    package func delete(_ key: String) throws { unlink("\(root)/\(key)") }
}
