import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import Retention

/// What is kept and what is removed, for people and for scripts.
struct ForgetText {
    private let plan: ForgetPlan
    private let isDryRun: Bool
    /// Nil when nothing was tried.
    private let result: SnapshotForgetting.Result?

    init(_ plan: ForgetPlan, isDryRun: Bool, result: SnapshotForgetting.Result? = nil) {
        self.plan = plan
        self.isDryRun = isDryRun
        self.result = result
    }

    /// A line for each snapshot, below one for its group.
    var lines: [String] {
        var lines: [String] = []
        for group in plan.groups {
            let kept = group.decisions.count(where: \.isKept)
            lines.append("\(group.key): keep \(kept), remove \(group.decisions.count - kept)")
            for decision in group.decisions {
                let reasons = decision.isKept ? decision.keep.map(\.description) : decision.remove.map(\.description)
                lines.append(
                    "  \(decision.isKept ? "keep  " : "remove")  \(decision.candidate.id.short)  "
                        + "\(Self.time(decision.candidate.time))  \(reasons.joined(separator: decision.isKept ? ", " : "; "))"
                )
            }
        }
        if plan.groups.isEmpty {
            lines += plan.removed.map { snapshot in
                "  remove  \(snapshot.id.short)  \(Self.time(snapshot.record.time))  \(RemoveReason.named)"
            }
        }
        if plan.foreignCount > 0 {
            lines.append("left alone: \(plan.foreignCount) of plain restic, see --foreign")
        }
        return lines
    }

    /// "removed 3 snapshots"
    var summary: String {
        let count = result?.removed.count ?? plan.removed.count
        guard count > 0 || !(result?.failures.isEmpty ?? true) else { return "nothing to remove" }
        return "\(isDryRun ? "would remove" : "removed") \(count) snapshot\(count == 1 ? "" : "s")"
    }

    var json: JSONObject {
        var object: JSONObject = ["message_type": "forget", "dry_run": .bool(isDryRun)]
        object["groups"] = .array(plan.groups.map { .object(Self.json($0)) })
        object["foreign"] = .integer(Int64(plan.foreignCount))
        let removed = result?.removed ?? plan.removed.map(\.id)
        object["removed"] = .array(removed.map { .string($0.hexadecimal) })
        object["failed"] = .array(
            (result?.failures ?? []).map { failure in
                .object(["id": .string(failure.id.hexadecimal), "message": .string("\(failure.error)")])
            })
        return object
    }

    private static func json(_ group: RetentionPlan.Group) -> JSONObject {
        func strings(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        var object: JSONObject = [:]
        object["host"] = group.key.host.map { .string($0) }
        object["paths"] = group.key.paths.map(strings)
        object["tags"] = group.key.tags.map(strings)
        object["application"] = group.key.scope.map { .string($0.description) }
        object["snapshots"] = .array(
            group.decisions.map { decision in
                .object([
                    "id": .string(decision.candidate.id.hexadecimal), "time": .string(decision.candidate.time.text),
                    "keep": .bool(decision.isKept), "reasons": strings(decision.keep.map(\.description)),
                    "against": strings(decision.remove.map(\.description)),
                ])
            })
        return object
    }

    /// The time on the clock that wrote it, by which the rules go: "2026-01-31 12:00:00+01:00".
    private static func time(_ time: Timestamp) -> String {
        var time = time
        time.nanoseconds = 0
        return time.text.split(separator: "T").joined(separator: " ")
    }
}
