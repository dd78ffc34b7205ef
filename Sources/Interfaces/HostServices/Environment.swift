import Glibc

/// The variables of the process's environment, behind a value so that tests can set them.
package struct Environment: Sendable {
    private let values: [String: String]

    package init(_ values: [String: String]) { self.values = values }

    /// The environment of this process.
    package static var current: Environment {
        var values: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                values[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            pointer += 1
        }
        return Environment(values)
    }

    /// The value of a variable; nil when it is not set or empty.
    package subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The first of a colon-separated list, as systemd sets `STATE_DIRECTORY`.
    package func directory(_ name: String) -> String? {
        self[name]?.split(separator: ":").first.map(String.init)
    }
}
