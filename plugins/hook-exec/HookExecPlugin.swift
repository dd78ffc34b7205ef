import PluginKit

/// What this plugin says about itself.
enum HookExecPlugin {
    static func description() throws -> PluginDescription {
        let hook: JSONValue = [
            "type": "object", "required": ["command"], "additionalProperties": false,
            "properties": [
                "command": [
                    "type": "array", "minItems": 1, "items": ["type": "string"],
                    "description": "The program, by absolute path or by a name in PATH, and its arguments; no shell.",
                ],
                "timeout_ms": [
                    "type": "integer", "minimum": 1, "default": 30000,
                    "description": "How long it may run before its process group is ended.",
                ],
                "env": [
                    "type": "object", "additionalProperties": ["type": "string"],
                    "description": "Variables beside those that are inherited and those that begin with STILLPOINT_.",
                ],
                "directory": ["type": "string", "pattern": "^/", "description": "Where it runs."],
            ],
        ]
        let events = JSONObject(HookEvent.all.map { ($0.rawValue, hook) })
        let schema: JSONObject = [
            "type": "object", "required": ["events"], "additionalProperties": false,
            "properties": [
                "events": ["type": "object", "additionalProperties": false, "properties": .object(events)]
            ],
        ]
        return PluginDescription(
            name: "hook-exec", version: "0.1.0", kinds: [.hook], features: PluginFeatures(cancel: true),
            configSchema: try ConfigSchema(schema), hookEvents: HookEvent.all)
    }
}
