import JSON
import Pipelines
import SnapshotModel
import Synchronization

/// What the tests of journals and leases write.
enum JournalExample {
    static func run(_ last: String = "v") throws -> RunID { try RunID("01aryz6s41tsv4rrffq69g5fa" + last) }

    static var header: JournalHeader {
        JournalHeader(kind: .fullSnapshot, trigger: .manual, programVersion: "0.1.0", owner: nil)
    }

    static func lease(_ id: Int64 = 1, application: String = "tracker") throws -> Lease {
        Lease(
            id: id, run: try run(), application: try ApplicationName(application), pair: .backup,
            plugin: Lease.Plugin(
                name: "exec", executable: "/usr/lib/stillpoint/stillpoint-hook-exec", arguments: ["-v"]),
            config: ["events": ["backup.pre": ["command": ["/bin/pause"]]], "key": ["secret": ["file": "/k"]]],
            context: ["application": .string(application), "max_hold_ms": 10_000], preTimeout: .seconds(30),
            postTimeout: .milliseconds(1500))
    }

    /// One event of each kind.
    static func events() throws -> [RunEvent] {
        let tracker = try ApplicationName("tracker")
        var header = header
        header.application = tracker
        header.owner = JournalHeader.Owner(pid: 42, start: 1234, bootID: "b-o-o-t")
        return [
            .opened(header), .opened(Self.header), .phase(.quiescing, application: tracker),
            .phase(.storing, application: nil),
            .progress(RunProgress(bytes: 1, entries: 2)),
            .progress(
                RunProgress(
                    application: tracker, part: "volume:uploads", bytes: 1 << 40, entries: 5, totalBytes: 1 << 41,
                    totalEntries: 9)),
            .hookOutput(HookOutput(application: tracker, plugin: "exec", stream: "stdout", line: "päused \"all\"\t")),
            .warning(SnapshotDocument.Warning(application: tracker, path: "/srv/a\nb", message: "unreadable")),
            .warning(SnapshotDocument.Warning(message: "late")), .error(message: "no", application: nil),
            .leaseIntended(try lease()),
            .leaseAcknowledged(lease: 1, action: "continue", reason: nil, state: "lv-1"),
            .leaseAcknowledged(lease: 2, action: "skip", reason: "idle", state: nil),
            .leasePreFailed(lease: 1, message: "timeout"), .leaseWithdrawn(lease: 3, message: "not found"),
            .leaseReleased(lease: 1, attempt: 2, outcome: "ok"),
            .leaseReleaseFailed(lease: 1, attempt: 1, message: "died"),
            .snapshotRecorded(id: "abc", tree: "def"),
            .finished(.completedWithWarnings, exitCode: .partial, message: "2 warnings"),
            .finished(.completed, exitCode: .done, message: nil), .unknown(kind: "colour", payload: ["is": "blue"]),
        ]
    }

    /// A clock that is one millisecond later each time.
    static func clock() -> @Sendable () -> Moment {
        let ticks = Ticks()
        return { Moment(milliseconds: 1_795_367_762_000 + Int64(ticks.next())) }
    }

    private final class Ticks: Sendable {
        private let count = Atomic<Int>(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }
}
