/// A node of a YAML document with its place, independent of the parser.
struct YAMLNode {
    /// A key of a mapping.
    struct Key {
        let name: String
        let line: Int
        let column: Int
    }

    enum Content {
        /// A scalar; `isPlain` says that it stands without quotes and without a tag, so that its text decides its type.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        /// Pairs in the order of the file; a name may stand twice.
        case map([(key: Key, value: YAMLNode)])
    }

    let content: Content
    /// From 1.
    let line: Int
    /// From 1, in Unicode scalars.
    let column: Int

    /// The type of a plain scalar. Source: YAML 1.2.2, section 10.3.2, core schema: `yes`, `no`, `on` and `off` are text.
    enum ScalarType: Equatable {
        case null
        case bool(Bool)
        /// A whole number; nil when it does not fit.
        case integer(Int64?)
        /// A number with a fraction or exponent, infinity, or not a number.
        case real
        /// Digits after a leading zero, which YAML 1.1 reads as octal and YAML 1.2 as decimal.
        case ambiguousNumber
        case text
    }

    static func type(ofPlain text: String) -> ScalarType {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .real
        default: break
        }
        let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        if [".inf", ".Inf", ".INF"].contains(unsigned) { return .real }
        if text.hasPrefix("0x"), isNumber(text.dropFirst(2), radix: 16) {
            return .integer(Int64(text.dropFirst(2), radix: 16))
        }
        if text.hasPrefix("0o"), isNumber(text.dropFirst(2), radix: 8) {
            return .integer(Int64(text.dropFirst(2), radix: 8))
        }
        if isNumber(unsigned, radix: 10) {
            return unsigned.count > 1 && unsigned.first == "0" ? .ambiguousNumber : .integer(Int64(text))
        }
        return isReal(unsigned) ? .real : .text
    }

    private static func isNumber(_ text: Substring, radix: Int) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && $0.hexDigitValue.map { $0 < radix } ?? false }
    }

    /// `[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?` or `\.[0-9]+([eE][-+]?[0-9]+)?`
    private static func isReal(_ text: Substring) -> Bool {
        var mantissa = text
        if let exponent = text.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            mantissa = text[..<exponent]
            var digits = text[text.index(after: exponent)...]
            if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
            guard isNumber(digits, radix: 10) else { return false }
        }
        guard let point = mantissa.firstIndex(of: ".") else { return isNumber(mantissa, radix: 10) }
        let whole = mantissa[..<point]
        let fraction = mantissa[mantissa.index(after: point)...]
        if whole.isEmpty { return isNumber(fraction, radix: 10) }
        return isNumber(whole, radix: 10) && (fraction.isEmpty || isNumber(fraction, radix: 10))
    }
}
