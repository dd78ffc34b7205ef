import Repository
import SnapshotModel
import JSON
import Pipelines
import RepositoryFormat

/// A restore plan for people and for scripts.
struct RestorePlanText {
    private let plan: RestorePlan

    init(_ plan: RestorePlan) { self.plan = plan }

    var lines: [String] {
        var lines = [
            "restore of snapshot \(plan.snapshot.id.short) from \(plan.snapshot.record.time.text) (plan \(plan.id))"
        ]
        if let files = plan.files {
            for entry in files.entries { lines.append("  write    \(files.target)/\(entry.path)") }
        }
        for application in plan.applications {
            lines.append("application \(application.name)")
            if !application.hooks.isEmpty { lines.append("  stop     by \(application.hooks.joined(separator: ", "))") }
            for item in application.items {
                let size = item.entryCount.map { "  \($0) entries, \(Units.bytes(item.byteCount ?? 0))" } ?? ""
                lines.append(
                    "  \(item.replaces ? "replace " : "create  ") \(item.kind) \(item.name)  \(item.target)\(size)")
            }
            for dump in application.dumps {
                lines.append("  load     dump \(dump.dump.name) by \(dump.dump.plugin)  \(Units.bytes(dump.byteCount))")
            }
            if !application.hooks.isEmpty { lines.append("  start    by \(application.hooks.joined(separator: ", "))") }
        }
        if plan.restoresConsole { lines.append("console\n  replace  the catalog of this host; its destination stays") }
        for note in plan.notes { lines.append("note: \(note)") }
        return lines
    }

    var json: JSONObject {
        var object: JSONObject = [
            "message_type": "restore_plan", "id": .string(plan.id), "snapshot": .string(plan.snapshot.id.hexadecimal),
            "console": .bool(plan.restoresConsole),
        ]
        object["applications"] = .array(
            plan.applications.map { application in
                .object([
                    "name": .string(application.name.text),
                    "items": .array(
                        application.items.map { item in
                            var object: JSONObject = [
                                "kind": .string(item.kind), "name": .string(item.name), "target": .string(item.target),
                                "replaces": .bool(item.replaces),
                            ]
                            object["entries"] = item.entryCount.map { .integer($0) }
                            object["bytes"] = item.byteCount.map { .integer($0) }
                            return .object(object)
                        }),
                    "dumps": .array(application.dumps.map { .string($0.dump.name) }),
                ])
            })
        if let files = plan.files {
            object["target"] = .string(files.target)
            object["paths"] = .array(files.entries.map { .string($0.path) })
        }
        object["notes"] = .array(plan.notes.map { .string($0) })
        return object
    }
}
