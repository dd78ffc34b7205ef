/// Reads JSON from bytes one token at a time, without building a tree of values.
///
/// Trees and indexes hold millions of members; this reader allocates nothing but the strings it is asked for. It reads
/// the JSON that Go's encoder writes and everything RFC 8259 allows; nesting is bounded.
struct ByteScanner {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private let object: String
    private static let maximumDepth = 64

    init(_ bytes: UnsafeRawBufferPointer, object: String, position: Int = 0) {
        self.bytes = bytes
        self.position = position
        self.object = object
    }

    func failure(_ problem: String) -> FormatError { FormatError(object, "\(problem) at byte \(position)") }

    @inline(__always)
    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space, without taking it; nil at the end.
    mutating func peek() -> UInt8? {
        skipWhitespace()
        return position < bytes.count ? bytes[position] : nil
    }

    /// Takes `byte` when it comes next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(FormatError) {
        guard take(byte) else { throw failure("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    /// Where `count` further bytes begin; nil when there are fewer.
    @inline(__always)
    func next(_ count: Int) -> UnsafeRawPointer? {
        guard bytes.count - position >= count, let start = bytes.baseAddress else { return nil }
        return start + position
    }

    /// A byte some way ahead; nil behind the end.
    @inline(__always)
    func byte(at distance: Int) -> UInt8? {
        let index = position + distance
        return index < bytes.count ? bytes[index] : nil
    }

    /// Takes bytes that ``next(_:)`` or ``byte(at:)`` have shown to be there.
    @inline(__always)
    mutating func advance(_ count: Int) { position += count }

    /// Starts again at an earlier position.
    mutating func goBack(to start: Int) { position = start }

    /// A copy of the bytes from `start` to the current position.
    func slice(from start: Int) -> [UInt8] { Array(bytes[start..<position]) }

    /// Fails unless only white space is left.
    mutating func expectEnd() throws(FormatError) {
        if peek() != nil { throw failure("unexpected bytes after the end") }
    }

    /// Calls `member` with each key of the object that comes next; `member` must take the value.
    mutating func object(
        _ member: (inout ByteScanner, _ key: UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        try expect(0x7B)
        if take(0x7D) { return }
        repeat {
            let key = try plainString()
            try expect(0x3A)
            try member(&self, key)
        } while take(0x2C)
        try expect(0x7D)
    }

    /// Calls `element` at each element of the array that comes next; it must take the value.
    mutating func array(_ element: (inout ByteScanner) throws(FormatError) -> Void) throws(FormatError) {
        try expect(0x5B)
        if take(0x5D) { return }
        repeat { try element(&self) } while take(0x2C)
        try expect(0x5D)
    }

    /// Takes `null` when it comes next.
    mutating func takeNull() -> Bool {
        skipWhitespace()
        return takeLiteral("null")
    }

    private mutating func takeLiteral(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != literal.utf8Start[index] { return false }
        position += count
        return true
    }

    mutating func bool() throws(FormatError) -> Bool {
        skipWhitespace()
        if takeLiteral("true") { return true }
        if takeLiteral("false") { return false }
        throw failure("expected true or false")
    }

    /// A whole number from 0 to 2^64 - 1.
    mutating func unsigned() throws(FormatError) -> UInt64 {
        skipWhitespace()
        var value: UInt64 = 0
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[position] &- 0x30))
            guard !overflow, !carry else { throw failure("a number above 2^64") }
            value = sum
            position += 1
        }
        guard position > start else { throw failure("expected a whole number") }
        if position < bytes.count, [0x2E, 0x65, 0x45].contains(bytes[position]) {
            throw failure("expected a whole number")
        }
        return value
    }

    /// A number that must fit `type`.
    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(FormatError) -> Integer {
        guard let value = Integer(exactly: try unsigned()) else { throw failure("a number out of range") }
        return value
    }

    /// The raw bytes of a string without escapes, valid while the input is. Ids, keys and times are such strings.
    mutating func plainString() throws(FormatError) -> UnsafeRawBufferPointer {
        try expect(0x22)
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 {
                defer { position += 1 }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            }
            guard byte != 0x5C, byte >= 0x20 else { throw failure("an escape where none may be") }
            position += 1
        }
        throw failure("a string without an end")
    }

    /// The text of a string as UTF-8 bytes, escapes resolved. Lone surrogates and bytes that are no UTF-8 become U+FFFD,
    /// as in Go.
    mutating func string() throws(FormatError) -> [UInt8] {
        try expect(0x22)
        let start = position
        // Most strings have no escapes: find the end, copy once.
        while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C, bytes[position] >= 0x20 {
            position += 1
        }
        var output = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22: return GoText.repaired(output)
            case 0x5C: try escape(into: &output)
            case 0..<0x20: throw failure("a raw control character in a string")
            default: output.append(byte)
            }
        }
        throw failure("a string without an end")
    }

    private mutating func escape(into output: inout [UInt8]) throws(FormatError) {
        guard position < bytes.count else { throw failure("a string without an end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: output.append(byte)
        case 0x62: output.append(0x08)
        case 0x66: output.append(0x0C)
        case 0x6E: output.append(0x0A)
        case 0x72: output.append(0x0D)
        case 0x74: output.append(0x09)
        case 0x75:
            var scalar = try fourDigits()
            if (0xD800..<0xDC00).contains(scalar), bytes.count - position >= 6, bytes[position] == 0x5C,
                bytes[position + 1] == 0x75
            {
                let mark = position
                position += 2
                let low = try fourDigits()
                if (0xDC00..<0xE000).contains(low) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = mark
                }
            }
            output.append(contentsOf: Unicode.UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? .init())
        default: throw failure("an unknown escape")
        }
    }

    private mutating func fourDigits() throws(FormatError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("a string without an end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit = bytes[position]
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt32(digit &- 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(digit &- 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(digit &- 0x57)
            default: throw failure("a bad \\u escape")
            }
            position += 1
        }
        return value
    }

    /// An id: a string of 64 digits.
    mutating func id() throws(FormatError) -> ObjectID {
        guard let id = ObjectID(digits: try plainString()) else { throw failure("expected an id of 64 digits") }
        return id
    }

    /// Takes a string and forgets it; what its escapes mean is of no account then.
    private mutating func skipString() throws(FormatError) {
        try expect(0x22)
        while position < bytes.count {
            let byte = bytes[position]
            position += byte == 0x5C ? 2 : 1
            if byte == 0x22 { return }
            guard byte >= 0x20 else { throw failure("a raw control character in a string") }
        }
        position = bytes.count
        throw failure("a string without an end")
    }

    /// Takes any value and forgets it: members that newer programs added.
    mutating func skipValue(depth: Int = 0) throws(FormatError) {
        guard depth < Self.maximumDepth else { throw failure("nested too deep") }
        switch peek() {
        case 0x7B:
            position += 1
            if take(0x7D) { return }
            repeat {
                try skipString()
                try expect(0x3A)
                try skipValue(depth: depth + 1)
            } while take(0x2C)
            try expect(0x7D)
        case 0x5B:
            position += 1
            if take(0x5D) { return }
            repeat { try skipValue(depth: depth + 1) } while take(0x2C)
            try expect(0x5D)
        case 0x22: try skipString()
        default:
            if takeNull() || takeLiteral("true") || takeLiteral("false") { return }
            let start = position
            while position < bytes.count {
                switch bytes[position] {
                case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: position += 1
                default:
                    guard position > start else { throw failure("expected a value") }
                    return
                }
            }
            guard position > start else { throw failure("expected a value") }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// True when the bytes are those of `literal`.
    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != literal.utf8Start[index] { return false }
        return true
    }
}
