import PluginKit

/// What this plugin says about itself.
enum SourceCommandPlugin {
    static func description() throws -> PluginDescription {
        let command: (String) -> JSONValue = { description in
            [
                "type": "object", "required": ["command"], "additionalProperties": false,
                "properties": [
                    "command": [
                        "type": "array", "minItems": 1, "items": ["type": "string"],
                        "description": .string(description),
                    ]
                ],
            ]
        }
        let schema: JSONObject = [
            "type": "object", "required": ["dump"], "additionalProperties": false,
            "properties": [
                "dump": command(
                    "Writes the dump to its standard output; any exit status but 0 means that there is none."),
                "load": command("Reads the dump from its standard input."),
                "timeout_ms": [
                    "type": "integer", "minimum": 1,
                    "description": "How long each command may run; without it, the host's deadline alone counts.",
                ],
                "env": [
                    "type": "object", "additionalProperties": ["type": "string", "writeOnly": true],
                    "description": "Further variables, such as PGPASSWORD; their values are kept out of logs.",
                ],
                "directory": ["type": "string", "pattern": "^/", "description": "Where the commands run."],
            ],
        ]
        return PluginDescription(
            name: "source-command", version: "0.1.0", kinds: [.source],
            features: PluginFeatures(cancel: true), configSchema: try ConfigSchema(schema))
    }
}
