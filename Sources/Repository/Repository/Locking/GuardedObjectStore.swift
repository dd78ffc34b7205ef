import ObjectStorage

/// A store whose objects change only while the repository's locks stand; locks themselves pass.
final class GuardedObjectStore: ObjectStore {
    private let base: any ObjectStore
    private let gate: WriteGate

    init(_ base: any ObjectStore, gate: WriteGate) {
        self.base = base
        self.gate = gate
    }

    var spoolDirectory: String { base.spoolDirectory }
    var connectionCount: Int { base.connectionCount }

    private func isLock(_ key: String) -> Bool { key.hasPrefix(ObjectKind.lock.prefix) }

    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        if !isLock(key) { try gate.pass() }
        try base.put(file, as: key, ifAbsent: ifAbsent)
    }

    func delete(_ key: String) throws {
        if !isLock(key) { try gate.pass() }
        try base.delete(key)
    }

    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] {
        if !isLock(key) { try gate.check() }
        return try base.get(key, range: range)
    }

    func size(of key: String) throws -> Int64 {
        if !isLock(key) { try gate.check() }
        return try base.size(of: key)
    }

    func list(prefix: String) throws -> [StoredObject] {
        if !isLock(prefix) { try gate.check() }
        return try base.list(prefix: prefix)
    }
}
