import ObjectStorage

/// A store whose lists lack every second object with a prefix, and in which one object is out of reach.
final class ForgetfulStore: ObjectStore {
    private let base: MemoryObjectStore
    private let prefix: String
    private let unreachable: String?
    var spoolDirectory: String { base.spoolDirectory }
    var connectionCount: Int { base.connectionCount }

    init(_ base: MemoryObjectStore, prefix: String, unreachable: String? = nil) {
        self.base = base
        self.prefix = prefix
        self.unreachable = unreachable
    }

    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        try base.put(file, as: key, ifAbsent: ifAbsent)
    }
    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] { try base.get(key, range: range) }
    func size(of key: String) throws -> Int64 {
        if key == unreachable { throw ObjectStoreError(code: .unavailable, message: "out of reach") }
        return try base.size(of: key)
    }
    func list(prefix: String) throws -> [StoredObject] {
        let all = try base.list(prefix: prefix).sorted { $0.key < $1.key }
        return prefix == self.prefix ? all.enumerated().filter { $0.offset % 2 == 1 }.map(\.element) : all
    }
    func delete(_ key: String) throws { try base.delete(key) }
}
