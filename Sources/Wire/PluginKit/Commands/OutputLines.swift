import JSONRPC

/// Cuts the output of a program into lines for people: safe text, at most 4 KiB each; a longer line becomes several.
struct OutputLines {
    private static let maximumByteCount = 4096
    private var rest: [UInt8] = []

    /// The lines that `bytes` complete.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(flush())
            } else {
                rest.append(byte)
                if rest.count == Self.maximumByteCount { lines.append(flush()) }
            }
        }
        return lines
    }

    /// What came after the last line feed; nil for nothing.
    mutating func finish() -> String? { rest.isEmpty ? nil : flush() }

    private mutating func flush() -> String {
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        defer { rest.removeAll(keepingCapacity: true) }
        return PlainText.oneLine(rest, maximumByteCount: Self.maximumByteCount * 4)
    }
}
