import JSON
import Pipelines
import RepositoryFormat
import SnapshotModel

extension SnapshotSummary {
    /// What `--json` prints.
    var json: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "short_id": .string(shortID), "time": .string(time.description), "tree": .string(tree),
            "host": .string(host), "paths": .array(paths.map { .string($0) }), "tags": .array(tags.map { .string($0) }),
        ]
        object["kind"] = kind.map { .string($0.rawValue) }
        if meaning != nil { object["applications"] = .array(applications.map { .string($0.text) }) }
        object["consistency"] = consistency.map { .string($0.rawValue) }
        object["bytes"] = byteCount.map { .integer($0) }
        return object
    }
}
