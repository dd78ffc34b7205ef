import RepositoryFormat

/// Ids of objects, whole or by their first digits.
package struct ObjectNames: Sendable {
    /// The prefixes as they were given, lowercase; whole ids are no prefixes.
    private var prefixes: [String] = []
    private var ids: Set<ObjectID> = []

    package init() {}

    /// - Parameter text: 4 to 64 hexadecimal digits.
    /// - Returns: false for anything else; nothing is added then.
    package mutating func insert(_ text: String) -> Bool {
        let text = text.lowercased()
        guard (4...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isDigit) else { return false }
        if let id = ObjectID(hexadecimal: text) { ids.insert(id) } else { prefixes.append(text) }
        return true
    }

    mutating func insert(_ id: ObjectID) { ids.insert(id) }

    var isEmpty: Bool { ids.isEmpty && prefixes.isEmpty }

    /// What was given, for saying what was not found.
    var texts: [String] { prefixes + ids.map(\.hexadecimal) }

    func contains(_ id: ObjectID) -> Bool {
        if ids.contains(id) { return true }
        guard !prefixes.isEmpty else { return false }
        let digits = id.hexadecimal
        return prefixes.contains { digits.hasPrefix($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
