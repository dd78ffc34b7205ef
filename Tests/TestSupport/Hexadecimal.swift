extension [UInt8] {
    /// The bytes of a test vector: pairs of hexadecimal digits; everything else between them is passed over.
    package init(hex text: String) {
        self = []
        var high: UInt8?
        for digit in text.compactMap({ $0.hexDigitValue }) {
            if let first = high {
                append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        precondition(high == nil, "A vector has an odd number of digits.")
    }

    /// Pairs of lowercase digits.
    package var hex: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
