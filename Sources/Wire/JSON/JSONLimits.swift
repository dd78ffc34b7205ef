/// How much JSON text may cost before it is refused: checked by a scan of the bytes, before anything is allocated.
public struct JSONLimits: Sendable, Hashable {
    /// The longest text, in bytes.
    public var maximumByteCount: Int
    /// How deep objects and arrays may be nested; `{}` alone is one deep.
    public var maximumDepth: Int
    /// Whether only an object that starts at the first byte is taken, as on the wire, or any object or array with white
    /// space around it, as in files.
    public var requiresLeadingBrace: Bool

    /// Limits of one's own.
    public init(maximumByteCount: Int, maximumDepth: Int, requiresLeadingBrace: Bool = false) {
        self.maximumByteCount = maximumByteCount
        self.maximumDepth = maximumDepth
        self.requiresLeadingBrace = requiresLeadingBrace
    }

    /// One protocol line: 1 MiB, 32 deep, `{` first. Source: protocol/README.md, Framing.
    public static let wire = JSONLimits(maximumByteCount: 1 << 20, maximumDepth: 32, requiresLeadingBrace: true)

    /// A file or a value that is kept: 64 MiB, 128 deep.
    public static let file = JSONLimits(maximumByteCount: 64 << 20, maximumDepth: 128)

    /// The integers that every JSON reader keeps exactly: ±(2^53 − 1). Source: RFC 8259, section 6.
    public static let exactIntegers: ClosedRange<Int64> = -9_007_199_254_740_991...9_007_199_254_740_991

    /// The integers of the plugin protocol: 0 to 2^53 − 1.
    public static let wireIntegers: ClosedRange<Int64> = 0...9_007_199_254_740_991
}
