/// One mistake in an application.yaml, where it is and what to do about it.
package struct ManifestIssue: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    package let line: Int
    /// The column in characters, from 1.
    package let column: Int
    /// The path of the key: `spec.volumes[0].path`; a key that is no plain word stands as `events["backup.pre"]`. Empty
    /// for the whole file.
    package let path: String
    /// What is wrong and what is expected, without position and path.
    package let message: String
    /// What was probably meant, ready to be written into the file.
    package let suggestion: String?

    /// A mistake at a place.
    package init(line: Int, column: Int, path: String, message: String, suggestion: String? = nil) {
        self.line = line
        self.column = column
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    /// `12:7: spec.volums: unknown key; did you mean 'volumes'?`
    package var description: String {
        let place = path.isEmpty ? "\(line):\(column)" : "\(line):\(column): \(path)"
        return "\(place): \(message)" + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
    }
}

/// All mistakes of an application.yaml.
package struct ManifestInvalid: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one, in the order of the file.
    package let issues: [ManifestIssue]

    /// The mistakes of one file, at least one.
    package init(issues: [ManifestIssue]) { self.issues = issues }

    /// One line for each mistake.
    package var description: String { issues.map(\.description).joined(separator: "\n") }

    /// One line for each mistake, each beginning with the name of the file, as compilers do.
    package func description(file: String) -> String {
        issues.map { "\(file):\($0)" }.joined(separator: "\n")
    }
}
