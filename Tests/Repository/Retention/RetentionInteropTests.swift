import Foundation
import Repository
import RepositoryFormat
import Retention
import TestSupport
import Testing

/// For the same repository and the same options, stock restic and we keep the same snapshots, for the same reasons.
@Suite(.enabled(if: ShellScript.isInstalled("restic"))) struct RetentionInteropTests {
    /// The options of `restic forget`, which ours are named after.
    static let policies = [
        "--keep-last 1", "--keep-last 7", "--keep-last 1000", "--keep-hourly 24", "--keep-hourly 5 --group-by host",
        "--keep-daily 7", "--keep-daily 30 --group-by paths", "--keep-weekly 5", "--keep-weekly 60 --group-by host",
        "--keep-monthly 12", "--keep-yearly 3", "--keep-yearly 10 --group-by host,paths,tags",
        "--keep-last 2 --keep-hourly 3 --keep-daily 4 --keep-weekly 5 --keep-monthly 6 --keep-yearly 7",
        "--keep-within 1y5m7d2h", "--keep-within 30d --keep-last 1", "--keep-within-hourly 2d --keep-last 1",
        "--keep-within-daily 7d3h --keep-yearly 1", "--keep-within-weekly 3m --keep-last 1",
        "--keep-within-monthly 1y --keep-daily 2", "--keep-within-yearly 5y --group-by host --keep-last 1",
        "--keep-tag nightly --keep-last 1", "--keep-tag nightly,release --keep-tag weekly --keep-yearly 1",
        "--keep-last 1 --keep-tag nightly --host alpha", "--keep-daily 3 --tag release --tag nightly,weekly",
        "--keep-weekly 2 --path /srv/data --path /etc", "--keep-monthly 4 --host alpha --host beta --group-by host",
        "--keep-within 1m --keep-last 1 --group-by host", "--keep-within 11m29d --keep-last 1 --group-by host",
        "--keep-hourly 1000 --group-by host", "--keep-monthly 3 --keep-tag pinned --keep-last 1 --group-by host",
    ]

    @Test func `restic keeps what we keep, for the same reasons`() throws {
        let fixture = try RepositoryFixture("retention")
        let candidates = try RetentionSamples.store(in: try fixture.initialize())
        #expect(candidates.count > 100)
        for zone in ["UTC", "Europe/Berlin"] {
            let separator = "--- next ---"
            let commands = Self.policies.map { options in
                "restic forget --dry-run --json --no-lock -q \(options); echo '\(separator)'"
            }
            let result = try fixture.run("export TZ=\(zone)\n" + commands.joined(separator: "\n"))
            #expect(result.status == 0, "\(result.output.suffix(500))")
            let outputs = result.output.components(separatedBy: separator + "\n")
            for (options, output) in zip(Self.policies, outputs) {
                let theirs = try Self.kept(output)
                let ours = try Self.kept(options, candidates, zone: zone)
                #expect(ours == theirs, "\(options) in \(zone)")
            }
        }
    }

    /// What restic keeps, and why.
    private static func kept(_ output: String) throws -> [String: [String]] {
        let groups = try #require(
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]], "\(output)")
        var kept: [String: [String]] = [:]
        for group in groups {
            let snapshots = group["keep"] as? [[String: Any]] ?? []
            let reasons = group["reasons"] as? [[String: Any]] ?? []
            #expect(snapshots.count == reasons.count)
            for (snapshot, reason) in zip(snapshots, reasons) {
                let id = try #require(snapshot["id"] as? String)
                kept[id] = try #require(reason["matches"] as? [String])
            }
        }
        return kept
    }

    /// What we keep and why, without the rule for the oldest snapshot: restic has that from 0.16 on.
    private static func kept(
        _ options: String, _ candidates: [RetentionCandidate], zone: String
    ) throws -> [String: [String]] {
        let arguments = try PolicyArguments(options)
        let timeZone = try #require(TimeZone(identifier: zone))
        let clock = RetentionClock(now: RetentionSamples.now) { seconds in
            Int64(timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds))))
        }
        let plan = try RetentionPlan(
            candidates, policy: arguments.policy, filter: arguments.filter, grouping: arguments.grouping, clock: clock)
        var kept: [String: [String]] = [:]
        for decision in plan.groups.flatMap(\.decisions) {
            // A pin is ours alone; its tag means nothing to restic unless it is told.
            let reasons = decision.keep.filter { !$0.isForOldest && $0 != .pinned }.map(\.description)
            if !reasons.isEmpty { kept[decision.candidate.id.hexadecimal] = reasons }
        }
        return kept
    }
}

/// A policy, filter and grouping from restic's options.
struct PolicyArguments {
    var policy = RetentionPolicy()
    var filter = SnapshotFilter()
    var grouping = SnapshotGrouping.standard

    init(_ options: String) throws {
        var words = options.split(separator: " ").map(String.init)[...]
        while let name = words.popFirst(), let value = words.popFirst() {
            switch name {
            case "--keep-tag": policy.tags.append(TagList(value))
            case "--keep-within": policy.within = try CalendarSpan(value)
            case "--group-by": grouping = try SnapshotGrouping(value)
            case "--host": filter.hosts.append(value)
            case "--tag": filter.tags.append(TagList(value))
            case "--path": filter.paths.append(value)
            default:
                let parts = name.split(separator: "-").map(String.init)
                let period = try #require(CalendarPeriod(rawValue: parts[parts.count - 1]))
                if parts.contains("within") {
                    policy.withinPeriods[period] = try CalendarSpan(value)
                } else {
                    policy.counts[period] = try KeepCount(value)
                }
            }
        }
    }
}
