package import RepositoryFormat

/// The kinds of objects that lie one in a file, and where.
package enum ObjectKind: String, Sendable, CaseIterable {
    case key = "keys"
    case snapshot = "snapshots"
    case index = "index"
    case lock = "locks"
    case pack = "data"

    /// What people call it.
    package var singular: String {
        switch self {
        case .key: "key"
        case .snapshot: "snapshot"
        case .index: "index"
        case .lock: "lock"
        case .pack: "pack"
        }
    }

    /// What all keys of the kind start with.
    package var prefix: String { rawValue + "/" }

    /// The object's key in the store; packs stand below a folder of their first two digits.
    package func key(_ id: ObjectID) -> String {
        let digits = id.hexadecimal
        return self == .pack ? "data/\(digits.prefix(2))/\(digits)" : prefix + digits
    }

    /// The id in a key of this kind; nil for files that are none of ours.
    package func id(of key: String) -> ObjectID? {
        guard key.hasPrefix(prefix), let name = key.split(separator: "/").last,
            let id = ObjectID(hexadecimal: String(name)),
            self.key(id) == key
        else { return nil }
        return id
    }
}

/// The key of the one object without an id.
package let configKey = "config"
