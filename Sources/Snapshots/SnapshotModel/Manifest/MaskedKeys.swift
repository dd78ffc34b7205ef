import Yams

/// A YAML text in which keys that stand twice in a mapping were replaced by texts of the same length.
///
/// Yams refuses a mapping with two equal keys and says only where the first one is. With the first one masked the rest of
/// the file can be read, and all of its mistakes reported at once. Places stay as they were.
struct MaskedKeys {
    private(set) var text: String
    private var names: [Place: String] = [:]

    private struct Place: Hashable {
        let line: Int
        let column: Int
    }

    init(text: String) { self.text = text }

    /// The key that stood at a place before it was masked; nil when none was.
    func name(at place: (line: Int, column: Int)) -> String? { names[Place(line: place.line, column: place.column)] }

    /// Masks the key at `mark`; false when the text there is none of `candidates`, or no mask is left.
    mutating func mask(at mark: Mark, _ candidates: [String]) -> Bool {
        let place = Place(line: mark.line, column: mark.column)
        // Characters of the private use area (U+E000 to U+F8FF), which nobody uses in keys; YAML allows them.
        guard names[place] == nil, names.count < 256, let mask = Unicode.Scalar(0xE000 + UInt32(names.count)) else {
            return false
        }
        var scalars = text.unicodeScalars
        guard var start = Self.index(of: place, in: scalars) else { return false }
        if start < scalars.endIndex, scalars[start] == "\"" || scalars[start] == "'" {
            start = scalars.index(after: start)
        }
        for name in candidates where !name.isEmpty {
            let wanted = name.unicodeScalars
            guard let end = scalars.index(start, offsetBy: wanted.count, limitedBy: scalars.endIndex),
                scalars[start..<end].elementsEqual(wanted)
            else { continue }
            scalars.replaceSubrange(start..<end, with: Array(repeating: mask, count: wanted.count))
            text = String(scalars)
            names[place] = name
            return true
        }
        return false
    }

    /// Lines end with LF, CR LF, CR, NEL, LS or PS, as for libyaml (yaml_private.h, IS_BREAK_AT).
    private static func index(of place: Place, in scalars: String.UnicodeScalarView) -> String.Index? {
        var line = 1
        var index = scalars.startIndex
        while line < place.line {
            guard index < scalars.endIndex else { return nil }
            let scalar = scalars[index]
            index = scalars.index(after: index)
            let isBreak = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
            if scalar == "\r", index < scalars.endIndex, scalars[index] == "\n" { index = scalars.index(after: index) }
            if isBreak { line += 1 }
        }
        return scalars.index(index, offsetBy: place.column - 1, limitedBy: scalars.endIndex)
    }
}
