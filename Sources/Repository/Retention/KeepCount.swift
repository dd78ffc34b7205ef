/// How many snapshots a rule keeps.
package enum KeepCount: Sendable, Hashable, CustomStringConvertible {
    /// One for each hour, day and so on that has one, however many there are.
    case all
    /// The latest so many; 0 is no rule at all.
    case latest(Int)

    /// Reads a count: a whole number, or `unlimited`. `-1`, as older restic wrote it, means the same as that.
    ///
    /// - Throws: ``RetentionError/Code/malformed``.
    package init(_ text: String) throws {
        if text == "unlimited" || text == "-1" {
            self = .all
        } else if let count = Int(text), count >= 0, text.first != "+" {
            self = .latest(count)
        } else {
            throw RetentionError.malformedCount(text)
        }
    }

    /// True when snapshots may be kept by it.
    package var isRule: Bool { self != .latest(0) }

    package var description: String {
        switch self {
        case .all: "unlimited"
        case .latest(let count): String(count)
        }
    }
}
