import JSON
import PluginProtocol
import Testing

@Suite struct `Configuration schema` {
    private let schema: JSONObject = [
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["path"],
        "additionalProperties": false,
        "properties": [
            "path": ["type": "string", "pattern": "^/", "description": "where"],
            "create": ["type": "boolean", "default": true],
            "level": ["type": "integer", "minimum": 1, "maximum": 9],
            "mode": ["enum": ["fast", "safe"], "default": "safe"],
            "credentials": [
                "type": "object", "required": ["key"],
                "properties": ["key": ["type": "string", "writeOnly": true], "region": ["default": "eu"]],
            ],
            "tokens": ["type": "array", "items": ["type": "string", "writeOnly": true], "maxItems": 2],
            "env": ["type": "object", "additionalProperties": ["type": "string"]],
            "command": ["type": "array", "minItems": 1, "items": ["type": "string", "minLength": 1]],
        ],
    ]

    private func problems(_ config: JSONObject) -> [String] {
        do {
            _ = try ConfigSchema(schema).resolve(config)
            return []
        } catch let error as ConfigurationError { return error.problems.map(\.description) } catch {
            return ["\(error)"]
        }
    }

    @Test func `defaults are merged, also in nested objects that are there`() throws {
        let schema = try ConfigSchema(schema)
        #expect(try schema.resolve(["path": "/x"]) == ["path": "/x", "create": true, "mode": "safe"])
        #expect(
            try schema.resolve(["path": "/x", "create": false, "credentials": ["key": "k"]])
                == ["path": "/x", "create": false, "mode": "safe", "credentials": ["key": "k", "region": "eu"]])
    }

    @Test func `everything that is wrong is told at once, by name`() {
        #expect(
            problems(["create": "yes", "level": 10, "mode": "slow", "pth": "/x", "credentials": [:]])
                == [
                    "'config.path' is missing",
                    "'config.create' must be a boolean, not a string",
                    "'config.level' must be at most 9",
                    "'config.mode' must be one of: fast, safe",
                    "'config.pth' is not known; known are: path, create, level, mode, credentials, tokens, env, command",
                    "'config.credentials.key' is missing",
                ])
    }

    @Test(
        arguments: [
            (["path": "relative"], "'config.path' must match the pattern ^/"),
            (["path": "/x", "level": 0], "'config.level' must be at least 1"),
            (
                ["path": "/x", "level": .real(2)],
                "'config.level' must be an integer, not a number with a fraction or exponent"
            ),
            (["path": "/x", "tokens": ["a", "b", "c"]], "'config.tokens' must have at most 2 elements"),
            (["path": "/x", "tokens": [1]], "'config.tokens[0]' must be a string, not an integer"),
            (["path": "/x", "env": ["A": 1]], "'config.env.A' must be a string, not an integer"),
            (["path": "/x", "command": []], "'config.command' must have at least 1 elements"),
            (["path": "/x", "command": [""]], "'config.command[0]' must not be empty"),
        ] as [(JSONObject, String)])
    func `a single problem`(config: JSONObject, problem: String) { #expect(problems(config) == [problem]) }

    @Test func `secrets are found, and hidden`() throws {
        let schema = try ConfigSchema(schema)
        let config: JSONObject = [
            "path": "/x", "credentials": ["key": "s3cret", "region": "eu"], "tokens": ["one", "two"], "env": ["A": "b"],
        ]
        #expect(schema.secrets(in: config) == ["s3cret", "one", "two"])
        #expect(
            schema.redacted(config) == [
                "path": "/x", "credentials": ["key": "***", "region": "eu"], "tokens": ["***", "***"],
                "env": ["A": "b"],
            ])
    }

    @Test func `no value is quoted in an error, it may be a secret`() {
        #expect(problems(["path": "/x", "credentials": ["key": 12345]]).allSatisfy { !$0.contains("12345") })
        #expect(problems(["path": "hunter2"]).allSatisfy { !$0.contains("hunter2") })
    }

    @Test(
        arguments: [
            (["oneOf": []], "config_schema.oneOf"), (["type": "text"], "config_schema.type"),
            (["properties": ["a": ["type": 1]]], "config_schema.properties.a.type"),
            (["properties": ["a": ["pattern": "("]]], "config_schema.properties.a.pattern"),
            (["properties": ["a": true]], "config_schema.properties.a"),
            (["required": "a"], "config_schema.required"), (["minimum": "1"], "config_schema.minimum"),
            (["additionalProperties": 1], "config_schema.additionalProperties"),
            (["items": [["type": "string"]]], "config_schema.items"),
            (["minItems": 3, "maxItems": 2], "config_schema.maxItems"),
        ] as [(JSONObject, String)])
    func `a schema that cannot be checked is refused, with the place`(schema: JSONObject, path: String) {
        #expect { try ConfigSchema(schema) } throws: { error in
            guard let error = error as? ConfigurationError else { return false }
            return error.code == .invalidSchema && error.problems.first?.path == path
        }
    }

    @Test func `an empty schema takes everything`() throws {
        #expect(try ConfigSchema.anything.resolve(["x": [1]]) == ["x": [1]])
    }
}
