import Glibc

/// Patterns of what to leave out, compiled once.
///
/// A pattern without a slash fits the name of any entry at any depth. A pattern with a slash fits the path below the
/// root. A slash at the end means directories only. `*` and `?` stay within a name, `**` spans directories
/// (glob(7); matching by fnmatch(3)).
package struct ExcludeRules: Sendable {
    private struct Rule {
        let segments: [String]
        let isAnchored: Bool
        let directoriesOnly: Bool
    }

    private let rules: [Rule]

    /// - Parameter patterns: an empty one, or `/` alone, fits nothing.
    package init(_ patterns: [String]) {
        rules = patterns.map { pattern in
            let directoriesOnly = pattern.hasSuffix("/")
            let segments = pattern.split(separator: "/").map(String.init)
            let isAnchored = pattern.hasPrefix("/") || segments.count > 1
            return Rule(segments: segments, isAnchored: isAnchored, directoriesOnly: directoriesOnly)
        }
    }

    /// True without rules, so that callers can skip the work.
    package var isEmpty: Bool { rules.isEmpty }

    /// Whether an entry is left out.
    ///
    /// - Parameter path: below the root, names without slashes, the entry's own last.
    package func excludes(path: [[UInt8]], isDirectory: Bool) -> Bool {
        rules.contains { rule in
            guard !rule.segments.isEmpty, isDirectory || !rule.directoriesOnly else { return false }
            guard rule.isAnchored else {
                return path.last.map { Self.matches(rule.segments[0], $0) } ?? false
            }
            return Self.matches(rule.segments[...], path[...])
        }
    }

    private static func matches(_ pattern: ArraySlice<String>, _ path: ArraySlice<[UInt8]>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == "**" {
            return matches(pattern.dropFirst(), path)
                || (!path.isEmpty && matches(pattern, path.dropFirst()))
        }
        guard let name = path.first, matches(first, name) else { return false }
        return matches(pattern.dropFirst(), path.dropFirst())
    }

    private static func matches(_ pattern: String, _ name: [UInt8]) -> Bool {
        (name + [0]).withUnsafeBytes { bytes in
            bytes.baseAddress.map { fnmatch(pattern, $0.assumingMemoryBound(to: CChar.self), 0) == 0 } ?? false
        }
    }
}
