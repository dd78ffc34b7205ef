import Yams

/// Text → ``YAMLNode`` over Yams: one document, every mistake with its place.
enum YAMLDocument {
    /// Longer texts are refused. An application.yaml has a few kilobytes.
    static let maximumByteCount = 1 << 20
    /// Documents with more nodes, aliases expanded, are refused, so that nested aliases cannot fill the memory.
    static let maximumNodeCount = 100_000
    /// Documents that are nested deeper are refused.
    static let maximumDepth = 64

    /// Reads the one document of `text`; nil when nothing could be read, with the reason in `issues`.
    static func compose(_ text: String, issues: inout [ManifestIssue]) -> YAMLNode? {
        guard text.utf8.count <= maximumByteCount else {
            issues.append(issue(1, 1, "the file is longer than \(maximumByteCount) bytes"))
            return nil
        }
        var masked = MaskedKeys(text: text)
        while true {
            do {
                guard let root = try Yams.compose(yaml: masked.text, .basic) else {
                    issues.append(issue(1, 1, "the file is empty"))
                    return nil
                }
                var budget = maximumNodeCount
                return convert(root, 1, masked, &budget, &issues)
            } catch let error as YamlError {
                // Yams stops at the first mapping that names a key twice. The first of the two is masked, so that the
                // rest of the file is read as well; the mapping reports the pair when it is read.
                if case .duplicatedKeysInMapping(let names, let context) = error {
                    if masked.mask(at: context.mark, names) { continue }
                    let name = names.first ?? ""
                    issues.append(issue(context.mark.line, context.mark.column, "the key '\(name)' stands twice"))
                    return nil
                }
                issues.append(self.issue(from: error))
                return nil
            } catch {
                issues.append(issue(1, 1, "not valid YAML: \(error)"))
                return nil
            }
        }
    }

    private static func issue(_ line: Int, _ column: Int, _ message: String) -> ManifestIssue {
        ManifestIssue(line: max(1, line), column: max(1, column), path: "", message: message)
    }

    private static func issue(from error: YamlError) -> ManifestIssue {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let within = context.map { " \($0.text)" } ?? ""
            return issue(mark.line, mark.column, "not valid YAML: \(problem)\(within)")
        case .composer(_, let problem, let mark, _):
            return issue(mark.line, mark.column, "not valid YAML: \(problem)")
        case .reader(let problem, let offset, _, let text):
            let before = text.prefix(offset ?? 0)
            let line = before.reduce(1) { $1.isNewline ? $0 + 1 : $0 }
            let column = (before.lastIndex(where: \.isNewline).map { before[$0...].dropFirst() } ?? before).count + 1
            return issue(line, column, "not valid YAML: \(problem)")
        default:
            return issue(1, 1, "not valid YAML: \(error)")
        }
    }

    private static func refuse(_ tag: Tag, _ line: Int, _ column: Int, _ issues: inout [ManifestIssue]) {
        let known: [Tag.Name] = [.implicit, .nonSpecific, .str, .seq, .map]
        guard !known.contains(Tag.Name(rawValue: tag.rawValue)) else { return }
        issues.append(issue(line, column, "tags such as '\(tag.rawValue)' are not supported"))
    }

    private static func convert(
        _ node: Node, _ depth: Int, _ masked: MaskedKeys, _ budget: inout Int, _ issues: inout [ManifestIssue]
    ) -> YAMLNode? {
        let line = node.mark?.line ?? 1
        let column = node.mark?.column ?? 1
        budget -= 1
        guard budget > 0 else {
            if budget == 0 {
                issues.append(
                    issue(line, column, "the file has more than \(maximumNodeCount) values, aliases expanded"))
            }
            return nil
        }
        guard depth <= maximumDepth else {
            issues.append(issue(line, column, "the file is nested deeper than \(maximumDepth) levels"))
            return nil
        }
        switch node {
        case .scalar(let scalar):
            refuse(scalar.tag, line, column, &issues)
            if scalar.string.utf8.contains(0) { issues.append(issue(line, column, "a text contains U+0000")) }
            let isPlain = scalar.style == .plain && scalar.tag.rawValue.isEmpty
            let text = scalar.string.replacing("\0", with: "\u{FFFD}")
            return YAMLNode(content: .scalar(text, isPlain: isPlain), line: line, column: column)
        case .sequence(let sequence):
            refuse(sequence.tag, line, column, &issues)
            var elements: [YAMLNode] = []
            for element in sequence {
                guard let converted = convert(element, depth + 1, masked, &budget, &issues) else { return nil }
                elements.append(converted)
            }
            return YAMLNode(content: .list(elements), line: line, column: column)
        case .mapping(let mapping):
            refuse(mapping.tag, line, column, &issues)
            var pairs: [(key: YAMLNode.Key, value: YAMLNode)] = []
            for (key, value) in mapping {
                guard let converted = convert(value, depth + 1, masked, &budget, &issues) else { return nil }
                guard case .scalar(let scalar) = key else {
                    issues.append(issue(key.mark?.line ?? line, key.mark?.column ?? column, "a key must be a text"))
                    continue
                }
                let place = (scalar.mark?.line ?? line, scalar.mark?.column ?? column)
                let name = masked.name(at: place) ?? scalar.string
                pairs.append((YAMLNode.Key(name: name, line: place.0, column: place.1), converted))
            }
            return YAMLNode(content: .map(pairs), line: line, column: column)
        case .alias:
            issues.append(issue(line, column, "an alias could not be resolved"))
            return nil
        }
    }
}
