import JSON
import Maintenance
import RepositoryFormat

/// What pruning will do, for people and for programs.
struct PrunePlanText {
    let plan: PrunePlan

    /// Packs of one fate.
    private struct Group {
        let action: PrunePlan.Action
        let reason: PrunePlan.Reason
        var count = 0
        var byteCount: UInt64 = 0
        var unusedByteCount: UInt64 = 0
    }

    private var groups: [Group] {
        var groups: [Group] = []
        for pack in plan.packs {
            let index = groups.firstIndex { $0.action == pack.action && $0.reason == pack.reason }
            if index == nil { groups.append(Group(action: pack.action, reason: pack.reason)) }
            let position = index ?? groups.count - 1
            groups[position].count += 1
            groups[position].byteCount += pack.byteCount
            groups[position].unusedByteCount += pack.unusedByteCount
        }
        return groups
    }

    /// The plan as a table, and its sums.
    ///
    /// - Parameter isDetailed: with a line for each pack that does not stay.
    func lines(isDetailed: Bool) -> [String] {
        var table = Table(["ACTION", "PACKS", "SIZE", "UNUSED", "WHY"])
        for group in groups {
            table.add([
                group.action.rawValue, String(group.count), Self.size(group.byteCount),
                Self.size(group.unusedByteCount), group.reason.rawValue,
            ])
        }
        var lines = plan.packs.isEmpty ? [] : table.lines
        if isDetailed {
            for pack in plan.packs where pack.action != .keep {
                lines.append("\(pack.action.rawValue) \(pack.id.hexadecimal) \(pack.reason.rawValue)")
            }
        }
        let sums = plan.statistics
        lines.append(
            "\(sums.snapshots) snapshots need \(sums.used.blobs) blobs, \(Self.size(sums.used.bytes)); "
                + "\(sums.unused.blobs) blobs, \(Self.size(sums.unused.bytes)), are needed by none")
        if sums.duplicate.blobs > 0 {
            lines.append("\(sums.duplicate.blobs) blobs, \(Self.size(sums.duplicate.bytes)), are there twice")
        }
        if plan.indexFilesReplaced > 0 {
            let files = plan.indexFilesReplaced
            lines.append("\(files) index file\(files == 1 ? "" : "s") to be replaced")
        }
        return lines
    }

    /// What comes of it, as a sentence without a subject.
    var result: String {
        let sums = plan.statistics
        return "\(Self.size(sums.freedByteCount)); \(Self.size(sums.remainingByteCount)) remain, "
            + "\(Self.size(sums.remainingUnusedByteCount)) of it unused"
    }

    private static func size(_ count: UInt64) -> String { Units.bytes(Int64(clamping: count)) }

    /// The plan as one object.
    ///
    /// - Parameter done: whether it was carried out.
    func json(done: Bool) -> JSONObject {
        let sums = plan.statistics
        func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
        func amount(_ amount: PrunePlan.Amount) -> JSONValue {
            .object(["blobs": .integer(Int64(amount.blobs)), "bytes": number(amount.bytes)])
        }
        let packs = plan.packs.map { pack -> JSONValue in
            .object([
                "id": .string(pack.id.hexadecimal), "action": .string(pack.action.rawValue),
                "why": .string(pack.reason.rawValue), "bytes": number(pack.byteCount),
                "unused_bytes": number(pack.unusedByteCount),
            ])
        }
        return [
            "message_type": "prune", "dry_run": .bool(!done), "snapshots": .integer(Int64(sums.snapshots)),
            "used": amount(sums.used), "duplicate": amount(sums.duplicate), "unused": amount(sums.unused),
            "removed": amount(sums.removed), "repacked": amount(sums.repacked),
            "repacked_away": amount(sums.repackedAway), "unindexed_bytes": number(sums.unindexedByteCount),
            "freed_bytes": number(sums.freedByteCount), "remaining_bytes": number(sums.remainingByteCount),
            "remaining_unused_bytes": number(sums.remainingUnusedByteCount),
            "packs_kept": .integer(Int64(sums.packsKept)), "packs_repacked": .integer(Int64(sums.packsRepacked)),
            "packs_removed": .integer(Int64(sums.packsRemoved)),
            "packs_unindexed": .integer(Int64(sums.packsUnindexed)),
            "index_files_replaced": .integer(Int64(plan.indexFilesReplaced)), "packs": .array(packs),
        ]
    }
}
