import PluginKit

/// What this plugin says about itself.
enum FilesystemPlugin {
    static func description() throws -> PluginDescription {
        let schema: JSONObject = [
            "type": "object", "required": ["path"], "additionalProperties": false,
            "properties": [
                "path": [
                    "type": "string", "pattern": "^/", "maxLength": 3500,
                    "description": "The directory of the repository, an absolute path on one file system.",
                ],
                "create": [
                    "type": "boolean", "default": false,
                    "description": "Make the directory, and those above it, when it is missing.",
                ],
            ],
        ]
        return PluginDescription(
            name: "storage-filesystem", version: "0.1.0", kinds: [.storage],
            features: PluginFeatures(
                consistency: .strong, atomicReplace: true, ifAbsent: .atomic, getRange: true, getStream: true,
                listOrdered: true, cancel: true),
            limits: PluginLimits(maxInflight: 4, maxInstances: 2), configSchema: try ConfigSchema(schema))
    }
}
