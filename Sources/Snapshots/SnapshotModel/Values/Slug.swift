/// The rule for names of applications, volumes, dumps, groups and destinations: they become file names, tags and URLs.
package enum Slug {
    /// The longest name, in characters. Source: RFC 1123, section 2.1, a label of a host name.
    package static let maximumLength = 63

    /// The rule in words; completes "use …".
    package static let rule = "1 to 63 characters a-z, 0-9 and '-', not '-' at either end"

    /// True for 1 to 63 characters `a-z`, `0-9` and `-` that neither begin nor end with `-`.
    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...maximumLength).contains(bytes.count), bytes.first != hyphen, bytes.last != hyphen else {
            return false
        }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == hyphen }
    }

    /// The slug nearest to a text: "Issue Tracker" becomes "issue-tracker"; nil when nothing of it can be kept.
    package static func suggestion(for text: String) -> String? {
        var result: [UInt8] = []
        for byte in text.lowercased().utf8 {
            if isLetterOrDigit(byte) {
                result.append(byte)
            } else if let last = result.last, last != hyphen {
                result.append(hyphen)
            }
        }
        result = Array(result.prefix(maximumLength))
        while result.last == hyphen { result.removeLast() }
        return result.isEmpty ? nil : String(decoding: result, as: UTF8.self)
    }

    private static let hyphen = UInt8(ascii: "-")

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
