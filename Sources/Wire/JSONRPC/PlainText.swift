/// Text of other programs made safe for logs and terminals.
package enum PlainText {
    /// `text` on one line: control characters (terminal escapes among them) become `\u{1B}`, tabs become spaces, and
    /// what is longer than `maximumByteCount` of UTF-8 ends in `…`.
    package static func oneLine(_ text: String, maximumByteCount: Int) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            let piece: String
            switch scalar.value {
            case 0x09: piece = " "
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                piece = "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: piece = String(scalar)
            }
            count += piece.utf8.count
            guard count <= maximumByteCount else { return result + "…" }
            result += piece
        }
        return result
    }

    /// The same for bytes that may not be UTF-8: what is not becomes U+FFFD.
    package static func oneLine(_ bytes: some Collection<UInt8>, maximumByteCount: Int) -> String {
        oneLine(String(decoding: bytes, as: UTF8.self), maximumByteCount: maximumByteCount)
    }
}
