import JSON
import SnapshotModel

extension Run {
    /// What `--json` prints.
    var json: JSONObject {
        var object: JSONObject = [
            "id": .string(id.text), "kind": .string(kind.rawValue), "trigger": .string(trigger.rawValue),
            "state": .string(state.rawValue), "started": .string(started.description),
        ]
        object["application"] = application.map { .string($0.text) }
        object["finished"] = finished.map { .string($0.description) }
        object["snapshot"] = snapshot.map { .string($0) }
        object["exit_code"] = exitCode.map { .integer(Int64($0.rawValue)) }
        object["message"] = message.map { .string($0) }
        object["files"] = .integer(counters.files)
        object["bytes"] = .integer(counters.bytes)
        object["warnings"] = .integer(counters.warnings)
        return object
    }
}
