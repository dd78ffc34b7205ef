/// Text as Go's standard library encodes it; tree ids depend on each byte.
enum GoText {
    /// Appends a JSON string with its quotes: `encoding/json` with HTML escaping, which is its default.
    ///
    /// Each byte that is not part of valid UTF-8 becomes U+FFFD, as there.
    static func appendJSONString(_ text: some Collection<UInt8>, to output: inout [UInt8]) {
        output.append(0x22)
        if isPlain(text) {
            output.append(contentsOf: text)
        } else {
            let bytes = Array(text)
            var index = 0
            while index < bytes.count {
                if let (scalar, width) = scalar(in: bytes, at: index) {
                    appendJSONScalar(scalar, to: &output)
                    index += width
                } else {
                    output.append(contentsOf: "\\ufffd".utf8)
                    index += 1
                }
            }
        }
        output.append(0x22)
    }

    /// True when nothing has to be escaped, neither for JSON nor by ``quoted(_:)``.
    static func isPlain(_ text: some Collection<UInt8>) -> Bool {
        text.allSatisfy { byte in
            byte >= 0x20 && byte <= 0x7E && byte != 0x22 && byte != 0x5C && byte != 0x3C && byte != 0x3E && byte != 0x26
        }
    }

    private static func appendJSONScalar(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        switch scalar.value {
        case 0x22, 0x5C:
            output.append(0x5C)
            output.append(UInt8(scalar.value))
        case 0x0A: output.append(contentsOf: [0x5C, 0x6E])
        case 0x0D: output.append(contentsOf: [0x5C, 0x72])
        case 0x09: output.append(contentsOf: [0x5C, 0x74])
        case 0..<0x20, 0x3C, 0x3E, 0x26, 0x2028, 0x2029:
            output.append(contentsOf: [0x5C, 0x75])
            appendDigits(scalar.value, count: 4, to: &output)
        default: output.append(contentsOf: UTF8.encode(scalar) ?? .init())
        }
    }

    /// `strconv.Quote` without the quotes; restic quotes the names of nodes so that any bytes survive.
    static func quoted(_ name: [UInt8]) -> [UInt8] {
        if !name.contains(where: { $0 < 0x20 || $0 > 0x7E || $0 == 0x22 || $0 == 0x5C }) { return name }
        var output: [UInt8] = []
        output.reserveCapacity(name.count + 8)
        var index = 0
        while index < name.count {
            if let (scalar, width) = scalar(in: name, at: index) {
                appendQuoted(scalar, to: &output)
                index += width
            } else {
                output.append(contentsOf: [0x5C, 0x78])
                appendDigits(UInt32(name[index]), count: 2, to: &output)
                index += 1
            }
        }
        return output
    }

    private static func appendQuoted(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        switch scalar.value {
        case 0x22, 0x5C:
            output.append(0x5C)
            output.append(UInt8(scalar.value))
        case 0x07: output.append(contentsOf: [0x5C, 0x61])
        case 0x08: output.append(contentsOf: [0x5C, 0x62])
        case 0x0C: output.append(contentsOf: [0x5C, 0x66])
        case 0x0A: output.append(contentsOf: [0x5C, 0x6E])
        case 0x0D: output.append(contentsOf: [0x5C, 0x72])
        case 0x09: output.append(contentsOf: [0x5C, 0x74])
        case 0x0B: output.append(contentsOf: [0x5C, 0x76])
        case 0..<0x20, 0x7F:
            output.append(contentsOf: [0x5C, 0x78])
            appendDigits(scalar.value, count: 2, to: &output)
        case 0x20...0x7E: output.append(UInt8(scalar.value))
        default:
            if isPrintable(scalar) {
                output.append(contentsOf: UTF8.encode(scalar) ?? .init())
            } else if scalar.value < 0x10000 {
                output.append(contentsOf: [0x5C, 0x75])
                appendDigits(scalar.value, count: 4, to: &output)
            } else {
                output.append(contentsOf: [0x5C, 0x55])
                appendDigits(scalar.value, count: 8, to: &output)
            }
        }
    }

    /// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols. Characters that a newer Unicode assigned than
    /// the other program knows are escaped by one and not by the other; both read either.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: true
        }
    }

    /// `strconv.Unquote` of a name between quotes.
    ///
    /// - Returns: nil when it is not what `strconv.Quote` writes.
    static func unquoted(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(0x5C) else { return text.contains(0x22) ? nil : text }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            guard byte == 0x5C else {
                guard byte != 0x22 else { return nil }
                output.append(byte)
                continue
            }
            guard index < text.count else { return nil }
            let kind = text[index]
            index += 1
            switch kind {
            case 0x61: output.append(0x07)
            case 0x62: output.append(0x08)
            case 0x66: output.append(0x0C)
            case 0x6E: output.append(0x0A)
            case 0x72: output.append(0x0D)
            case 0x74: output.append(0x09)
            case 0x76: output.append(0x0B)
            case 0x5C, 0x22: output.append(kind)
            case 0x78:
                guard let value = hexadecimal(text, at: index, count: 2) else { return nil }
                output.append(UInt8(value))
                index += 2
            case 0x75, 0x55:
                let count = kind == 0x75 ? 4 : 8
                guard let value = hexadecimal(text, at: index, count: count), let scalar = Unicode.Scalar(value) else {
                    return nil
                }
                output.append(contentsOf: UTF8.encode(scalar) ?? .init())
                index += count
            default: return nil
            }
        }
        return output
    }

    private static func hexadecimal(_ text: [UInt8], at start: Int, count: Int) -> UInt32? {
        guard text.count - start >= count else { return nil }
        var value: UInt32 = 0
        for byte in text[start..<start + count] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: return nil
            }
        }
        return value
    }

    /// True when the bytes are valid UTF-8.
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            if bytes[index] < 0x80 {
                index += 1
            } else {
                guard let (_, width) = scalar(in: bytes, at: index) else { return false }
                index += width
            }
        }
        return true
    }

    /// The text with U+FFFD for each byte that is not part of valid UTF-8, as Go's decoder of JSON reads it.
    static func repaired(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { $0 >= 0x80 }), !isUTF8(text) else { return text }
        var output: [UInt8] = []
        var index = 0
        while index < text.count {
            if let (scalar, width) = scalar(in: text, at: index) {
                output.append(contentsOf: UTF8.encode(scalar) ?? .init())
                index += width
            } else {
                output.append(contentsOf: [0xEF, 0xBF, 0xBD])
                index += 1
            }
        }
        return output
    }

    /// The scalar whose encoding starts at `index`, and its width; nil for anything RFC 3629 forbids.
    private static func scalar(in bytes: [UInt8], at index: Int) -> (Unicode.Scalar, Int)? {
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let width: Int
        var value: UInt32
        switch first {
        case 0xC2...0xDF: (width, value) = (2, UInt32(first & 0x1F))
        case 0xE0...0xEF: (width, value) = (3, UInt32(first & 0x0F))
        case 0xF0...0xF4: (width, value) = (4, UInt32(first & 0x07))
        default: return nil
        }
        guard bytes.count - index >= width else { return nil }
        for next in bytes[index + 1..<index + width] {
            guard next & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(next & 0x3F)
        }
        if width == 3, value < 0x800 { return nil }
        if width == 4, value < 0x10000 { return nil }
        guard let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, width)
    }

    private static func appendDigits(_ value: UInt32, count: Int, to output: inout [UInt8]) {
        for position in stride(from: count - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(4 * position)) & 15
            output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    /// Appends a decimal number.
    static func appendDecimal(_ value: UInt64, to output: inout [UInt8]) {
        if value < 10 {
            output.append(0x30 + UInt8(value))
            return
        }
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var position = 20
            var rest = value
            while rest > 0 {
                position -= 1
                buffer[position] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            output.append(contentsOf: buffer[position..<20])
        }
    }
}
