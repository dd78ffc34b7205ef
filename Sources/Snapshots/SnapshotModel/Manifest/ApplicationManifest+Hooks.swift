import JSON

extension ApplicationManifest {
    static func readHooks(_ value: ManifestValue) -> [Hook] {
        (value.list(of: "hooks") ?? []).compactMap { element in
            let known = ["plugin", "events", "config", "timeout", "onError"]
            guard let map = element.map(known: known) else { return nil }
            let plugin = map.required("plugin", "the hook plugin")?.plugin()
            let events = map.optional("events").map(readEvents) ?? [:]
            let config = map.optional("config").map { value -> JSONObject in
                let config = value.object() ?? [:]
                if config["events"] != nil, !events.isEmpty {
                    value.report("the key 'events' stands here and beside 'config'; keep one of them")
                }
                return config
            }
            let timeout = map.optional("timeout")?.duration(upTo: .seconds(86_400)) ?? Hook.defaultTimeout
            let onError = map.optional("onError")?.choice(OnError.self)
            guard let plugin else { return nil }
            return Hook(plugin: plugin, events: events, config: config ?? [:], timeout: timeout, onError: onError)
        }
    }

    private static func readEvents(_ value: ManifestValue) -> JSONObject {
        guard let map = ManifestMap(value, known: Event.allCases.map(\.rawValue)) else { return [:] }
        if case .map(let pairs) = value.node.content, pairs.isEmpty {
            value.report("must name at least one event; leave 'events' out otherwise")
        }
        var events = JSONObject()
        for (key, action) in map.entries {
            guard let members = ManifestMap(action, known: nil) else { continue }
            var object = JSONObject()
            for (member, value) in members.entries {
                object[member.name] = member.name == "command" ? readCommand(value) : value.json()
            }
            events[key.name] = .object(object)
        }
        return events
    }

    /// A program and its arguments; numbers are taken as they are written.
    private static func readCommand(_ value: ManifestValue) -> JSONValue {
        if case .scalar = value.node.content {
            value.report("must be a list of a program and its arguments, not \(value.kindName); no shell reads it")
            return .array([])
        }
        guard let arguments = value.list(of: "a program and its arguments") else { return .array([]) }
        if arguments.isEmpty { value.report("must name a program") }
        return .array(arguments.compactMap { $0.argument().map { .string($0) } })
    }
}
