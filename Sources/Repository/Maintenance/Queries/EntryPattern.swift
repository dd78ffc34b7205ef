import Glibc

/// A pattern for entries, as the shell writes them (glob(7)): `*`, `?` and `[…]` stay within a name, `**` spans
/// directories. A pattern fits the end of a path; with a slash in front it fits the whole path.
package struct EntryPattern: Sendable {
    private let segments: [String]
    private let isAnchored: Bool
    private let ignoresCase: Bool

    /// - Returns: nil for a pattern that fits nothing: an empty one, or slashes alone.
    package init?(_ pattern: String, ignoringCase: Bool = false) {
        segments = pattern.split(separator: "/").map(String.init)
        isAnchored = pattern.hasPrefix("/")
        ignoresCase = ignoringCase
        guard !segments.isEmpty else { return nil }
    }

    /// True when the pattern looks at the name alone, so that a directory fits wherever it stands.
    package var isNameOnly: Bool { !isAnchored && segments.count == 1 && segments[0] != "**" }

    /// Whether an entry fits.
    ///
    /// - Parameter path: absolute within the snapshot.
    package func matches(_ path: [UInt8]) -> Bool {
        let names = path.split(separator: 0x2F)
        if isAnchored { return matches(segments[...], names[...]) }
        if isNameOnly { return names.last.map { matches(segments[0], $0) } ?? false }
        return (0..<names.count).contains { matches(segments[...], names[$0...]) }
    }

    private func matches(_ pattern: ArraySlice<String>, _ names: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        guard let first = pattern.first else { return names.isEmpty }
        if first == "**" {
            return matches(pattern.dropFirst(), names) || (!names.isEmpty && matches(pattern, names.dropFirst()))
        }
        guard let name = names.first, matches(first, name) else { return false }
        return matches(pattern.dropFirst(), names.dropFirst())
    }

    private func matches(_ segment: String, _ name: ArraySlice<UInt8>) -> Bool {
        // GNU's FNM_CASEFOLD (fnmatch(3)), which the module does not show.
        let flags: Int32 = ignoresCase ? 1 << 4 : 0
        return (Array(name) + [0]).withUnsafeBytes { bytes in
            bytes.baseAddress.map { fnmatch(segment, $0.assumingMemoryBound(to: CChar.self), flags) == 0 } ?? false
        }
    }

    /// Runs `body` with names taken as UTF-8 on this thread, so that `?` is a character and case is known beyond ASCII;
    /// names that are not UTF-8 are matched by their bytes (fnmatch of GNU's libc).
    package static func withTextLocale<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil) else { return try body() }
        let previous = uselocale(locale)
        defer {
            uselocale(previous)
            freelocale(locale)
        }
        return try body()
    }
}
