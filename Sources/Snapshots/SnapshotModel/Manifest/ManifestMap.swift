/// Collects the mistakes of one file while it is read.
final class IssueLog {
    private(set) var issues: [ManifestIssue] = []

    init(_ issues: [ManifestIssue] = []) { self.issues = issues }

    func add(_ issue: ManifestIssue) { issues.append(issue) }

    /// In the order of the file.
    var sorted: [ManifestIssue] {
        issues.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }.map(\.element)
    }
}

/// A mapping of the file whose keys are known; what is wrong with it goes to the log.
struct ManifestMap {
    private let node: YAMLNode
    private let path: String
    private let log: IssueLog
    private(set) var entries: [(key: YAMLNode.Key, value: ManifestValue)] = []

    /// Reports keys that stand twice and, unless `known` is nil, keys that are not known. Nil when it is no mapping.
    init?(_ value: ManifestValue, known: [String]?) {
        guard case .map(let pairs) = value.node.content else {
            value.report("must be a mapping of keys, not \(value.kindName)")
            return nil
        }
        node = value.node
        path = value.path
        log = value.log
        var lines: [String: Int] = [:]
        for (key, child) in pairs {
            let childPath = Self.path(of: key.name, in: path)
            func report(_ message: String, suggestion: String? = nil) {
                log.add(
                    ManifestIssue(
                        line: key.line, column: key.column, path: childPath, message: message, suggestion: suggestion))
            }
            if let line = lines[key.name] {
                report("the key '\(key.name)' stands twice, first in line \(line)")
                continue
            }
            lines[key.name] = key.line
            if let known, !known.contains(key.name) {
                report(
                    "unknown key '\(key.name)'; known are: \(known.joined(separator: ", "))",
                    suggestion: Suggestion.nearest(to: key.name, among: known))
                continue
            }
            entries.append((key, ManifestValue(node: child, path: childPath, log: log)))
        }
    }

    static func path(of name: String, in parent: String) -> String {
        let isWord =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                    || byte == 95
            }
        guard isWord else { return "\(parent)[\"\(name)\"]" }
        return parent.isEmpty ? name : "\(parent).\(name)"
    }

    /// The value of a key; nil when it is absent.
    func optional(_ name: String) -> ManifestValue? { entries.first { $0.key.name == name }?.value }

    /// The value of a key; reports at the place of the mapping when it is absent.
    func required(_ name: String, _ purpose: String) -> ManifestValue? {
        if let value = optional(name) { return value }
        log.add(
            ManifestIssue(
                line: node.line, column: node.column, path: Self.path(of: name, in: path),
                message: "the key '\(name)' is missing: \(purpose)"))
        return nil
    }
}
