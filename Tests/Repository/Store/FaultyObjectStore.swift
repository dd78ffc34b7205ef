import ObjectStorage
import Threads

/// A store that does what a test wants before it does what it should.
final class FaultyObjectStore: ObjectStore {
    /// What is being done, to which key, and how many puts of packs came before.
    struct Call: Sendable, Equatable {
        enum Kind: Sendable { case put, get, list, delete }
        let kind: Kind
        let key: String
        var packNumber = 0
    }

    let base: any ObjectStore
    var spoolDirectory: String { base.spoolDirectory }
    var connectionCount: Int { base.connectionCount }
    /// Runs before each call, outside any lock; what it throws the caller gets.
    private let before: @Sendable (Call) throws -> Void
    /// What was done so far.
    let calls = Condition<[Call]>([])

    init(_ base: any ObjectStore, before: @escaping @Sendable (Call) throws -> Void = { _ in }) {
        self.base = base
        self.before = before
    }

    private func note(_ kind: Call.Kind, _ key: String) throws {
        let call = calls.withLock { calls -> Call in
            let packNumber = calls.filter { $0.kind == .put && $0.key.hasPrefix("data/") }.count
            calls.append(Call(kind: kind, key: key, packNumber: packNumber))
            return calls[calls.count - 1]
        }
        try before(call)
    }

    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        try note(.put, key)
        try base.put(file, as: key, ifAbsent: ifAbsent)
    }

    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] {
        try note(.get, key)
        return try base.get(key, range: range)
    }

    func size(of key: String) throws -> Int64 { try base.size(of: key) }

    func list(prefix: String) throws -> [StoredObject] {
        try note(.list, prefix)
        return try base.list(prefix: prefix)
    }

    func delete(_ key: String) throws {
        try note(.delete, key)
        try base.delete(key)
    }
}
