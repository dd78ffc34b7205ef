/// Names that nobody else has used or will use.
enum RandomName {
    /// 32 lowercase hexadecimal digits: 128 random bits.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
