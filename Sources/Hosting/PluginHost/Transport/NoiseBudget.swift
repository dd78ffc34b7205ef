/// How much a plugin may print on standard output that is no message. Source: protocol, host rules, 12.
package struct NoiseBudget {
    /// Lines in all.
    package static let maximumLineCount = 100
    /// Bytes in all.
    package static let maximumByteCount = 64 << 10

    /// Lines spent, the one too many included.
    package private(set) var lineCount = 0
    /// Bytes spent.
    package private(set) var byteCount = 0

    /// A budget of which nothing is spent.
    package init() {}

    /// Counts one line.
    ///
    /// - Returns: false when the budget is used up.
    package mutating func spend(_ lineByteCount: Int) -> Bool {
        lineCount += 1
        byteCount += lineByteCount
        return lineCount <= Self.maximumLineCount && byteCount <= Self.maximumByteCount
    }
}
