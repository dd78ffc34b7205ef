/// How much a plugin may print on standard output that is no message. Source: protocol, host rules, 12.
struct NoiseBudget {
    static let maximumLineCount = 100
    static let maximumByteCount = 64 << 10

    private(set) var lineCount = 0
    private(set) var byteCount = 0

    /// Counts one line.
    ///
    /// - Returns: false when the budget is used up.
    mutating func spend(_ lineByteCount: Int) -> Bool {
        lineCount += 1
        byteCount += lineByteCount
        return lineCount <= Self.maximumLineCount && byteCount <= Self.maximumByteCount
    }
}
