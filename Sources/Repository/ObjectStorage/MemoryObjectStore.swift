import CLinux
import Glibc
import Synchronization

/// A store in memory, for tests and for measuring what the plugin boundary costs.
package final class MemoryObjectStore: ObjectStore {
    private let objects = Mutex<[String: [UInt8]]>([:])
    /// Made by the caller, who removes it.
    package let spoolDirectory: String
    package let connectionCount = 4

    /// - Parameter spoolDirectory: an existing directory.
    package init(spoolDirectory: String) { self.spoolDirectory = spoolDirectory }

    /// All keys, for tests that damage or drop objects.
    package var keys: [String] { objects.withLock { $0.keys.sorted() } }

    /// Sets or removes an object's bytes behind the repository's back.
    package func replace(_ key: String, with bytes: [UInt8]?) { objects.withLock { $0[key] = bytes } }

    package func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        let bytes = try Self.read(file.path)
        guard bytes.count == file.size else {
            throw ObjectStoreError(code: .integrity, message: "The spool file of \(key) changed its size.")
        }
        try objects.withLock { objects in
            if ifAbsent, let existing = objects[key], existing != bytes {
                throw ObjectStoreError(code: .conflict, message: "The object \(key) exists with other bytes.")
            }
            objects[key] = bytes
        }
    }

    package func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] {
        let bytes = try bytes(of: key)
        guard let range else { return bytes }
        guard range.lowerBound >= 0, range.upperBound <= Int64(bytes.count) else {
            throw ObjectStoreError(code: .invalidRange, message: "The range leaves the object \(key).")
        }
        return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    package func size(of key: String) throws -> Int64 { Int64(try bytes(of: key).count) }

    package func list(prefix: String) throws -> [StoredObject] {
        objects.withLock { objects in
            objects.filter { $0.key.hasPrefix(prefix) }.map { StoredObject(key: $0.key, size: Int64($0.value.count)) }
        }
    }

    package func delete(_ key: String) throws { objects.withLock { $0[key] = nil } }

    private func bytes(of key: String) throws -> [UInt8] {
        guard let bytes = objects.withLock({ $0[key] }) else {
            throw ObjectStoreError(code: .notFound, message: "There is no object \(key).")
        }
        return bytes
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            throw ObjectStoreError(code: .unavailable, message: "The spool file \(path) cannot be read.")
        }
        defer { close(descriptor) }
        var info = clinux_stat()
        clinux_fstat(descriptor, &info)
        return [UInt8](unsafeUninitializedCapacity: Int(info.size)) { buffer, count in
            while count < buffer.count {
                let part = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                if part <= 0 { break }
                count += part
            }
        }
    }
}
