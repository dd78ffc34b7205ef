/// Steps of a reader that expects bytes exactly as Go's encoder writes them, and starts anew with the general steps when
/// they are not. None of them passes over white space.
extension ByteScanner {
    /// Takes the bytes of `literal` when they come next.
    @inline(__always)
    mutating func takeExactly(_ literal: StaticString) -> Bool {
        takeExactly(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Takes the bytes when they come next.
    @inline(__always)
    mutating func takeExactly(_ wanted: UnsafeRawBufferPointer) -> Bool {
        guard let next = next(wanted.count), let expected = wanted.baseAddress else { return wanted.isEmpty }
        var offset = 0
        while wanted.count - offset >= 8 {
            guard
                next.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    == expected.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset += 8
        }
        while offset < wanted.count {
            guard
                next.load(fromByteOffset: offset, as: UInt8.self)
                    == expected.load(fromByteOffset: offset, as: UInt8.self)
            else { return false }
            offset += 1
        }
        advance(wanted.count)
        return true
    }

    /// Takes the 64 digits of an id.
    @inline(__always)
    mutating func takeID() -> ObjectID? {
        guard let next = next(64), let id = ObjectID(digits: UnsafeRawBufferPointer(start: next, count: 64)) else {
            return nil
        }
        advance(64)
        return id
    }

    /// Takes a whole number of 1 to 9 digits.
    @inline(__always)
    mutating func takeShortNumber() -> UInt32? {
        var value: UInt32 = 0
        var count = 0
        while let byte = byte(at: count), (0x30...0x39).contains(byte) {
            guard count < 9 else { return nil }
            value = value * 10 + UInt32(byte &- 0x30)
            count += 1
        }
        guard count > 0 else { return nil }
        advance(count)
        return value
    }
}
