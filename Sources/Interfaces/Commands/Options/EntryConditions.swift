import ArgumentParser
import Maintenance
import RepositoryFormat
import SnapshotModel

/// What an entry has to be to be found.
struct EntryConditions: ParsableArguments {
    @Flag(name: [.customShort("i"), .customLong("ignore-case")], help: "Patterns fit upper and lower case alike.")
    var ignoreCase = false

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("file, dir, symlink, dev, chardev, fifo or socket; may be repeated.", valueName: "type"))
    var type: [String] = []

    @Option(
        name: [.customShort("O"), .long],
        help: ArgumentHelp("Modified then or later: a day, a moment, or an age such as 7d.", valueName: "time"))
    var oldest: String?

    @Option(
        name: [.customShort("N"), .long],
        help: ArgumentHelp("Modified then or earlier; a day counts to its end.", valueName: "time"))
    var newest: String?

    @Option(
        name: .customLong("min-size"),
        help: ArgumentHelp("Files of at least so many bytes, e.g. 500, 10K, 1G.", valueName: "size"))
    var minimumSize: String?

    @Option(
        name: .customLong("max-size"), help: ArgumentHelp("Files of at most so many bytes.", valueName: "size"))
    var maximumSize: String?

    /// True when nothing was asked for.
    var isEmpty: Bool {
        type.isEmpty && oldest == nil && newest == nil && minimumSize == nil && maximumSize == nil
    }

    /// The conditions, with the patterns that were given.
    ///
    /// - Throws: `ValidationError` for values that cannot be read.
    func conditions(_ patterns: [String], now: Timestamp) throws -> EntrySearch.Conditions {
        var conditions = EntrySearch.Conditions()
        conditions.patterns = try patterns.map { text in
            guard let pattern = EntryPattern(text, ignoringCase: ignoreCase) else {
                throw ValidationError("The pattern '\(text)' fits nothing.")
            }
            return pattern
        }
        conditions.kinds = Set(try type.map(Self.kind))
        conditions.oldest = try oldest.map { try Self.time($0, "--oldest", isEnd: false, now) }
        conditions.newest = try newest.map { try Self.time($0, "--newest", isEnd: true, now) }
        if let oldest = conditions.oldest, let newest = conditions.newest,
            (newest.seconds, newest.nanoseconds) < (oldest.seconds, oldest.nanoseconds)
        {
            throw ValidationError("--oldest is later than --newest; nothing can fit both.")
        }
        conditions.minimumByteCount = try minimumSize.map { try Self.size($0, "--min-size") }
        conditions.maximumByteCount = try maximumSize.map { try Self.size($0, "--max-size") }
        return conditions
    }

    private static func kind(_ text: String) throws -> TreeNode.Kind {
        let short = ["f": "file", "d": "dir", "l": "symlink", "b": "dev", "c": "chardev", "p": "fifo", "s": "socket"]
        guard let kind = TreeNode.Kind(rawValue: short[text] ?? text), kind != .irregular else {
            throw ValidationError("'\(text)' is no type; use file, dir, symlink, dev, chardev, fifo or socket.")
        }
        return kind
    }

    private static func time(_ text: String, _ option: String, isEnd: Bool, _ now: Timestamp) throws -> Timestamp {
        guard let time = MomentText.parse(text, isEnd: isEnd, now: now) else {
            throw ValidationError(
                "'\(option) \(text)' is no time; write 2026-01-31, '2026-01-31 12:00', '2026-01-31T12:00:00Z', or an age "
                    + "such as 7d.")
        }
        return time
    }

    private static func size(_ text: String, _ option: String) throws -> UInt64 {
        guard let size = ByteCountText.parse(text) else {
            throw ValidationError("'\(option) \(text)' is no size; write a number of bytes, or one with K, M, G or T.")
        }
        return size
    }
}
