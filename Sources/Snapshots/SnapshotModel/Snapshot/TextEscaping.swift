/// Texts of others in Markdown, so that they stay one line of text.
enum Markdown {
    /// A code span. Source: CommonMark 0.31.2, section 6.1: a longer fence where the text has backticks.
    static func code(_ text: String) -> String {
        let line = singleLine(text)
        var fence = "`"
        while line.contains(fence) { fence += "`" }
        return line.contains("`") ? "\(fence) \(line) \(fence)" : "`\(line)`"
    }

    /// A code span within a table, where `|` would end the cell. Source: GitHub Flavored Markdown, section 4.10.
    static func cell(_ text: String) -> String { code(text).replacing("|", with: "\\|") }

    /// Text whose special characters are escaped.
    static func plain(_ text: String) -> String {
        var result = ""
        for character in singleLine(text) {
            if "\\`*_[]<>#|".contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }

    private static func singleLine(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control || ["\u{2028}", "\u{2029}"].contains(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Words of a shell command.
enum Shell {
    /// The word as it is when every shell reads it so, else in single quotes. Source: POSIX.1-2017, XCU 2.2.2.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "_/.,:=@%+-".utf8.contains(byte)
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
