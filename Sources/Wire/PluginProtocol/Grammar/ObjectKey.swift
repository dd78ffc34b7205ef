import JSON

/// The name of an object in a store.
///
/// 1 to 512 bytes: segments of `[A-Za-z0-9_][A-Za-z0-9._-]*`, at most 255 bytes each, joined by `/`. So no segment is
/// `.` or `..` or begins with a dot or a dash, and nothing in it ever needs an escape. Names with a leading dot are the
/// plugin's own.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The key as it stands on the wire.
    public let text: String

    /// Nil when `text` is outside of the grammar.
    public init?(_ text: String) {
        guard Self.isWellFormed(text) else { return nil }
        self.text = text
    }

    /// Whether `text` is within the grammar.
    public static func isWellFormed(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { !$0.isEmpty && $0.count <= 512 && isPath($0, allowsOpenEnd: false) }
    }

    /// Scans segments; with an open end the last one may be empty or cut off anywhere.
    static func isPath(_ bytes: UnsafeBufferPointer<UInt8>, allowsOpenEnd: Bool) -> Bool {
        var segment = 0
        for byte in bytes {
            if byte == UInt8(ascii: "/") {
                guard segment > 0 else { return false }
                segment = 0
                continue
            }
            let isInner = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            guard Grammar.isAlphanumeric(byte) || byte == UInt8(ascii: "_") || (isInner && segment > 0) else {
                return false
            }
            segment += 1
            guard segment <= 255 else { return false }
        }
        return segment > 0 || allowsOpenEnd
    }

    /// By bytes, the order of an ordered list.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// The key.
    public var description: String { text }
}

/// The beginning of keys: empty for all of them, else what a key may start with, so `data/`, `data/0`, `index`.
public struct KeyPrefix: Hashable, Sendable, CustomStringConvertible {
    /// The prefix as it stands on the wire.
    public let text: String

    /// Nil when no key can start with `text`.
    public init?(_ text: String) {
        var copy = text
        guard copy.withUTF8({ $0.count <= 512 && ObjectKey.isPath($0, allowsOpenEnd: true) }) else { return nil }
        self.text = text
    }

    /// All keys.
    public static let all = KeyPrefix(unchecked: "")
    private init(unchecked text: String) { self.text = text }

    /// Whether `key` starts with the prefix, byte by byte.
    public func matches(_ key: ObjectKey) -> Bool { key.text.utf8.starts(with: text.utf8) }

    /// The prefix.
    public var description: String { text }
}

/// Where the next page of a list begins: chosen by the plugin, opaque to the host. 1 to 512 visible ASCII characters
/// without quote and backslash.
public struct ListCursor: Hashable, Sendable, CustomStringConvertible {
    /// The cursor as it stands on the wire.
    public let text: String

    /// Nil when `text` is outside of the grammar.
    public init?(_ text: String) {
        guard Grammar.isWord(text, maximumByteCount: 512) else { return nil }
        self.text = text
    }

    /// The cursor.
    public var description: String { text }
}

/// The absolute path of a file or directory that both sides use: at most 512 bytes of visible ASCII without quote and
/// backslash, no `.` or `..` segment, no `//`, no trailing `/`.
///
/// A directory whose path does not fit (a space in it, say) cannot be used as a spool; the host takes another.
public struct SpoolPath: Hashable, Sendable, CustomStringConvertible {
    /// The path as it stands on the wire.
    public let text: String

    /// Nil when `text` is outside of the grammar.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/"), Grammar.isWord(text, maximumByteCount: 512) else { return nil }
        let segments = text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard segments.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }) else {
            return nil
        }
        self.text = text
    }

    /// The path.
    public var description: String { text }
}

extension JSONReader {
    func key(_ name: String) throws -> ObjectKey {
        guard let key = ObjectKey(try string(name)) else {
            throw JSONError.outOfRange(
                path(of: name), mustBe: "a key: segments of letters, digits, '_', '.', '-' joined by '/'")
        }
        return key
    }

    func spoolPath(_ name: String) throws -> SpoolPath {
        guard let path = SpoolPath(try string(name)) else {
            throw JSONError.outOfRange(
                path(of: name), mustBe: "an absolute path of at most 512 plain ASCII characters")
        }
        return path
    }

    func cursor(_ name: String) throws -> ListCursor? {
        guard let text = try optionalString(name) else { return nil }
        guard let cursor = ListCursor(text) else {
            throw JSONError.outOfRange(path(of: name), mustBe: "1 to 512 visible ASCII characters")
        }
        return cursor
    }

    /// A text of at most `maximumByteCount` bytes.
    func text(_ name: String, maximumByteCount: Int) throws -> String {
        let text = try string(name)
        guard text.utf8.count <= maximumByteCount else {
            throw JSONError.outOfRange(path(of: name), mustBe: "at most \(maximumByteCount) bytes long")
        }
        return text
    }
}
