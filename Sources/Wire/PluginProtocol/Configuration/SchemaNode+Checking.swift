import JSON

extension SchemaNode {
    /// Appends everything that is wrong with `value`.
    func check(_ value: JSONValue, path: String, into problems: inout [ConfigurationError.Problem]) {
        func add(_ reason: String, at place: String? = nil) {
            problems.append(ConfigurationError.Problem(path: place ?? path, reason: reason))
        }
        guard types.isEmpty || types.contains(where: { Self.value(value, isOf: $0) }) else {
            let article = { (type: String) in "aeiou".contains(type.first ?? "x") ? "an \(type)" : "a \(type)" }
            return add("must be \(types.map(article).joined(separator: " or ")), not \(value.kindName)")
        }
        if let allowed, !allowed.contains(value) {
            let names = allowed.compactMap { $0.stringValue ?? $0.integerValue.map { String($0) } }
            add("must be one of: \(names.joined(separator: ", "))")
        }
        switch value {
        case .integer, .real:
            let number = value.realValue ?? 0
            if let minimum, number < minimum { add("must be at least \(Self.plain(minimum))") }
            if let maximum, number > maximum { add("must be at most \(Self.plain(maximum))") }
        case .string(let text):
            let length = text.unicodeScalars.count
            if length < lengths.lowerBound {
                add(
                    lengths.lowerBound == 1
                        ? "must not be empty" : "must have at least \(lengths.lowerBound) characters")
            }
            if length > lengths.upperBound { add("must have at most \(lengths.upperBound) characters") }
            if let pattern, !Self.matches(text, pattern) { add("must match the pattern \(pattern)") }
        case .array(let elements):
            if elements.count < counts.lowerBound { add("must have at least \(counts.lowerBound) elements") }
            if elements.count > counts.upperBound { add("must have at most \(counts.upperBound) elements") }
            guard let item = items.first else { return }
            for (index, element) in elements.enumerated() {
                item.check(element, path: "\(path)[\(index)]", into: &problems)
            }
        case .object(let object): checkMembers(of: object, path: path, into: &problems)
        default: break
        }
    }

    private func checkMembers(
        of object: JSONObject, path: String, into problems: inout [ConfigurationError.Problem]
    ) {
        for name in required where object[name] == nil {
            problems.append(ConfigurationError.Problem(path: "\(path).\(name)", reason: "is missing"))
        }
        for (name, value) in object.members {
            if let property = properties.first(where: { $0.name == name }) {
                property.node.check(value, path: "\(path).\(name)", into: &problems)
                continue
            }
            switch additional {
            case .anything: break
            case .matching(let nodes): nodes.first?.check(value, path: "\(path).\(name)", into: &problems)
            case .nothing:
                let known = properties.map(\.name).joined(separator: ", ")
                problems.append(
                    ConfigurationError.Problem(
                        path: "\(path).\(name)", reason: "is not known; known are: \(known.isEmpty ? "none" : known)"))
            }
        }
    }

    private static func value(_ value: JSONValue, isOf type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer), ("number", .real),
            ("string", .string), ("array", .array), ("object", .object):
            true
        default: false
        }
    }

    /// Anywhere in the text, as in JSON Schema. The pattern was compiled once when the schema was read.
    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return text.firstMatch(of: regex.matchingSemantics(.unicodeScalar)) != nil
    }

    private static func plain(_ number: Double) -> String {
        Int64(exactly: number).map { String($0) } ?? String(number)
    }
}

extension SchemaNode {
    /// Puts defaults where members are absent, in nested objects that are there as well.
    func mergingDefaults(into value: JSONValue) -> JSONValue {
        switch value {
        case .object(var object):
            for property in properties {
                if let member = object[property.name] {
                    object[property.name] = property.node.mergingDefaults(into: member)
                } else if let value = property.node.defaultValue {
                    object[property.name] = property.node.mergingDefaults(into: value)
                }
            }
            if case .matching(let nodes) = additional, let node = nodes.first {
                for (name, value) in object.members where !properties.contains(where: { $0.name == name }) {
                    object[name] = node.mergingDefaults(into: value)
                }
            }
            return .object(object)
        case .array(let elements):
            guard let item = items.first else { return value }
            return .array(elements.map(item.mergingDefaults))
        default: return value
        }
    }

    /// The schema of a member; nil when anything may stand there.
    private func node(of name: String) -> SchemaNode? {
        if let property = properties.first(where: { $0.name == name }) { return property.node }
        if case .matching(let nodes) = additional { return nodes.first }
        return nil
    }

    /// Calls `body` with every value that is marked as secret.
    func visitSecrets(_ value: JSONValue, _ body: (JSONValue) -> Void) {
        if isSecret { return body(value) }
        switch value {
        case .object(let object):
            for (name, value) in object.members { node(of: name)?.visitSecrets(value, body) }
        case .array(let elements): for element in elements { items.first?.visitSecrets(element, body) }
        default: break
        }
    }

    /// The value with `***` in place of every secret.
    func redacting(_ value: JSONValue) -> JSONValue {
        if isSecret { return "***" }
        switch value {
        case .object(let object):
            return .object(
                JSONObject(object.members.map { ($0.name, node(of: $0.name)?.redacting($0.value) ?? $0.value) }))
        case .array(let elements):
            guard let item = items.first else { return value }
            return .array(elements.map(item.redacting))
        default: return value
        }
    }
}
