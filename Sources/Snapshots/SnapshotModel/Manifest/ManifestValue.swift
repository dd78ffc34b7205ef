import JSON

/// A value of the file with its path; each reading reports what is wrong and returns nil.
struct ManifestValue {
    let node: YAMLNode
    let path: String
    let log: IssueLog

    func report(_ message: String, suggestion: String? = nil) {
        log.add(
            ManifestIssue(
                line: node.line, column: node.column, path: path, message: message, suggestion: suggestion))
    }

    /// What it is, for messages.
    var kindName: String {
        switch node.content {
        case .list: return "a list"
        case .map: return "a mapping"
        case .scalar(let text, let isPlain):
            guard isPlain else { return "a text" }
            switch YAMLNode.type(ofPlain: text) {
            case .null: return "nothing"
            case .bool: return "a truth value"
            case .integer, .real, .ambiguousNumber: return "a number"
            case .text: return "a text"
            }
        }
    }

    /// A text that is not empty. Numbers and truth values must be quoted unless `allowsNumbers`, which takes them as they
    /// are written.
    func text(allowsNumbers: Bool = false) -> String? {
        guard case .scalar(let text, let isPlain) = node.content else {
            report("must be a text, not \(kindName)")
            return nil
        }
        switch isPlain ? YAMLNode.type(ofPlain: text) : .text {
        case .text: break
        case .null:
            report("must be a text, not nothing")
            return nil
        case .bool, .integer, .real, .ambiguousNumber:
            guard allowsNumbers else {
                report("must be a text, not \(kindName); put it in quotes", suggestion: "\"\(text)\"")
                return nil
            }
        }
        guard !text.isEmpty else {
            report("must not be empty")
            return nil
        }
        return text
    }

    /// One argument of a command: any text, also an empty one; numbers and truth values as they are written.
    func argument() -> String? {
        guard case .scalar(let text, let isPlain) = node.content, !isPlain || YAMLNode.type(ofPlain: text) != .null
        else {
            report("must be a text, not \(kindName)")
            return nil
        }
        return text
    }

    func slug(of what: String) -> String? {
        guard let text = text() else { return nil }
        guard Slug.isValid(text) else {
            report(
                "'\(text)' is not a name of \(what): use \(Slug.rule)", suggestion: Slug.suggestion(for: text))
            return nil
        }
        return text
    }

    func bool() -> Bool? {
        if case .scalar(let text, true) = node.content {
            if case .bool(let value) = YAMLNode.type(ofPlain: text) { return value }
            let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"][text.lowercased()]
            report("must be true or false, not '\(text)'", suggestion: meant)
        } else {
            report("must be true or false, not \(kindName)")
        }
        return nil
    }

    /// A duration above zero and up to `maximum`.
    func duration(upTo maximum: Duration = DurationText.maximum) -> Duration? {
        guard case .scalar(let text, _) = node.content else {
            report("must be a duration such as 30s, not \(kindName)")
            return nil
        }
        guard let duration = DurationText.parse(text) else {
            let isNumber = !text.isEmpty && text.count <= 9 && text.allSatisfy { $0.isASCII && $0.isNumber }
            report(
                "'\(text)' is not a duration: a whole number and one of \(DurationText.unitNames)",
                suggestion: isNumber ? text + "s" : nil)
            return nil
        }
        guard duration > .zero, duration <= maximum else {
            report("must be more than 0s and at most \(DurationText.format(maximum))")
            return nil
        }
        return duration
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = text() else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        report(
            "must be \(known.joined(separator: " or ")), not '\(text)'",
            suggestion: Suggestion.nearest(to: text, among: known))
        return nil
    }

    func map(known: [String]) -> ManifestMap? { ManifestMap(self, known: known) }

    func list(of what: String) -> [ManifestValue]? {
        guard case .list(let elements) = node.content else {
            report("must be a list of \(what), not \(kindName)")
            return nil
        }
        return elements.enumerated().map { ManifestValue(node: $1, path: "\(path)[\($0)]", log: log) }
    }

    func texts(of what: String, allowsNumbers: Bool = false) -> [String]? {
        list(of: what)?.compactMap { $0.text(allowsNumbers: allowsNumbers) }
    }
}

extension ManifestValue {
    /// An absolute path without `.` and `..`, repeated and trailing slashes removed.
    func absolutePath() -> String? {
        guard let text = text() else { return nil }
        guard text.hasPrefix("/") else {
            report("must be an absolute path, one that begins with '/', not '\(text)'")
            return nil
        }
        return normalized(text).map { "/" + $0.joined(separator: "/") }
    }

    /// The components of a path without `.` at its beginning; reports `.` and `..` elsewhere and paths beyond PATH_MAX
    /// (4,096 bytes with the final NUL; limits.h of Linux).
    func normalized(_ text: String) -> [String]? {
        guard text.utf8.count < 4096 else {
            report("the path is longer than 4095 bytes")
            return nil
        }
        var components = text.split(separator: "/").map(String.init)
        while !text.hasPrefix("/"), components.first == "." { components.removeFirst() }
        if let dots = components.first(where: { $0 == "." || $0 == ".." }) {
            report("the path must not contain '\(dots)'")
            return nil
        }
        return components
    }

    /// The name of a plugin or the absolute path of its executable.
    func plugin() -> String? {
        guard let text = text() else { return nil }
        if text.hasPrefix("/") { return absolutePath() }
        let isName = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [45, 46, 95].contains(byte)
        }
        guard isName, let first = text.utf8.first, first != 45, first != 46 else {
            report("'\(text)' is neither the name of a plugin nor the absolute path of its executable")
            return nil
        }
        return text
    }

    /// A free-form object for a plugin, without fractions: the plugin protocol has whole numbers only.
    func object() -> JSONObject? {
        guard let map = ManifestMap(self, known: nil) else { return nil }
        var object = JSONObject()
        for (key, value) in map.entries { object[key.name] = value.json() }
        return object
    }

    /// A value for a plugin; nil, and reported, when the plugin protocol has no such value.
    func json() -> JSONValue? {
        switch node.content {
        case .map: return object().map { .object($0) }
        case .list: return list(of: "values").map { .array($0.compactMap { $0.json() }) }
        case .scalar(let text, let isPlain):
            switch isPlain ? YAMLNode.type(ofPlain: text) : .text {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .text: return .string(text)
            case .integer(let number?) where JSONLimits.wireIntegers.contains(number): return .integer(number)
            case .integer, .real:
                report(
                    "numbers for plugins are whole, from 0 to 2^53 - 1; put others in quotes",
                    suggestion: "\"\(text)\"")
            case .ambiguousNumber:
                report(
                    "a number with a leading zero can be read in two ways; put it in quotes", suggestion: "\"\(text)\"")
            }
            return nil
        }
    }
}
