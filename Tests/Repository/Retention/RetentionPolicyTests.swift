import RepositoryFormat
import Retention
import TestSupport
import Testing

@Suite struct RetentionPolicyTests {
    /// A candidate whose id starts with `name`'s bytes.
    private func candidate(
        _ name: UInt8, _ time: String, tags: [String] = [], host: String = "host", paths: [String] = ["/data"],
        scope: RetentionCandidate.Scope = .unknown, applications: [String] = [], whole: String? = nil
    ) throws -> RetentionCandidate {
        let id = try #require(ObjectID([name] + [UInt8](repeating: 0, count: 31)))
        let record = SnapshotRecord(
            time: try #require(Timestamp(text: time)), tree: id, paths: paths, hostname: host, tags: tags)
        return RetentionCandidate(id: id, record: record, scope: scope, applications: applications, whole: whole)
    }

    private let clock = RetentionClock(now: Timestamp(seconds: 1_800_000_000))

    private func plan(
        _ options: String, _ candidates: [RetentionCandidate], grouping: SnapshotGrouping? = nil
    ) throws -> RetentionPlan {
        let arguments = try PolicyArguments(options)
        return try RetentionPlan(
            candidates, policy: arguments.policy, filter: arguments.filter, grouping: grouping ?? arguments.grouping,
            clock: clock)
    }

    /// The first byte of each id that stays.
    private func kept(_ plan: RetentionPlan) -> Set<UInt8> { Set(plan.kept.compactMap(\.id.bytes.first)) }

    @Test(arguments: ["", "--keep-last 0", "--keep-within-daily 0d", "--keep-within 0h"])
    func `a policy without a rule is refused`(options: String) throws {
        let snapshot = try candidate(1, "2025-01-01T00:00:00Z")
        let error = try #require(throws: RetentionError.self) { try plan(options, [snapshot]) }
        #expect(error.code == .noRules)
    }

    @Test func `a policy that would keep nothing of a group is refused as a whole`() throws {
        let snapshots = [
            try candidate(1, "2025-01-01T00:00:00Z", tags: ["keep"]),
            try candidate(2, "2025-01-01T00:00:00Z", host: "b"),
        ]
        let error = try #require(throws: RetentionError.self) { try plan("--keep-tag keep", snapshots) }
        #expect(error.code == .keepsNothing)
        #expect(error.message.contains("(host b, paths [/data])"))
    }

    @Test func `the oldest snapshot is kept while a rule has not kept as many as it may`() throws {
        let snapshots = [
            try candidate(3, "2025-01-02T12:00:00Z"), try candidate(2, "2025-01-01T12:00:00Z"),
            try candidate(1, "2025-01-01T06:00:00Z"),
        ]
        let roomy = try plan("--keep-daily 5", snapshots)
        #expect(kept(roomy) == [3, 2, 1])
        #expect(roomy.groups[0].decisions[2].keep == [.period(.daily, isOldest: true)])
        #expect("\(roomy.groups[0].decisions[2].keep[0])" == "oldest daily snapshot")
        #expect(kept(try plan("--keep-daily 2", snapshots)) == [3, 2])
        #expect(kept(try plan("--keep-within-daily 5d", snapshots)) == [3, 2, 1])
        #expect(kept(try plan("--keep-daily unlimited", snapshots)) == [3, 2, 1])
    }

    @Test func `unlimited keeps one of each day however many there are`() throws {
        let snapshots = try (1...9).flatMap { day in
            [
                try candidate(UInt8(day), "2025-01-0\(day)T12:00:00Z"),
                try candidate(UInt8(day + 100), "2025-01-0\(day)T13:00:00Z"),
            ]
        }
        #expect(
            kept(try plan("--keep-daily unlimited", snapshots)) == [1, 101, 102, 103, 104, 105, 106, 107, 108, 109])
    }

    @Test func `each removed snapshot says why each rule does not keep it`() throws {
        let snapshots = [
            try candidate(3, "2025-01-02T12:00:00Z"), try candidate(2, "2025-01-02T11:00:00Z"),
            try candidate(1, "2025-01-01T06:00:00Z"),
        ]
        let plan = try plan(
            "--keep-tag x --keep-within 2h --keep-last 1 --keep-daily 1 --keep-within-daily 1d", snapshots)
        let decisions = plan.groups[0].decisions
        #expect(decisions.map(\.isKept) == [true, true, false])
        let reasons = decisions[1].remove.map(\.description)
        #expect(
            reasons == [
                "lacks one of the tags [x]", "1 last snapshots are newer", "1 daily snapshots are newer",
                "03000000 is newer in the same day (within 1d)",
            ])
        #expect(
            decisions[2].remove.map(\.description) == [
                "lacks one of the tags [x]", "older than 2h before the newest", "1 last snapshots are newer",
                "1 daily snapshots are newer", "older than 1d before the newest (daily)",
            ])
    }

    @Test func `a pinned snapshot stays and takes nobody's place`() throws {
        let snapshots = [
            try candidate(3, "2025-01-03T00:00:00Z", tags: ["pinned"]), try candidate(2, "2025-01-02T00:00:00Z"),
            try candidate(1, "2025-01-01T00:00:00Z", tags: ["own", "pinned"]),
        ]
        let plan = try plan("--keep-last 2", snapshots)
        #expect(kept(plan) == [3, 2, 1])
        #expect(plan.groups[0].decisions[2].keep == [.pinned])
        #expect(plan.groups[0].decisions[0].keep == [.period(.last, isOldest: false), .pinned])
    }

    @Test func `parts of one whole are kept together`() throws {
        let snapshots = [
            try candidate(3, "2025-01-03T00:00:00Z"), try candidate(2, "2025-01-02T00:00:00Z", whole: "run A"),
            try candidate(1, "2025-01-01T00:00:00Z", paths: ["/other"], whole: "run A"),
            try candidate(9, "2025-01-01T00:00:01Z", paths: ["/other"], whole: "run B"),
            try candidate(8, "2024-01-01T00:00:01Z", paths: ["/other"], whole: "run B"),
            try candidate(7, "2024-01-01T00:00:00Z", paths: ["/other"], whole: "run C"),
        ]
        let plan = try plan("--keep-last 1", snapshots)
        #expect(kept(plan) == [3, 9, 8])
        #expect(plan.removed.compactMap(\.id.bytes.first).sorted() == [1, 2, 7])
    }

    @Test func `snapshots are grouped by application, full ones for themselves`() throws {
        let snapshots = [
            try candidate(1, "2025-01-01T00:00:00Z", scope: .instance, applications: ["a", "b"]),
            try candidate(2, "2025-01-02T00:00:00Z", scope: .application("a"), applications: ["a"]),
            try candidate(3, "2025-01-03T00:00:00Z", scope: .application("b"), applications: ["b"]),
            try candidate(4, "2025-01-04T00:00:00Z", scope: .application("b"), applications: ["b"]),
        ]
        let plan = try plan("--keep-last 1 --group-by application", snapshots)
        #expect(kept(plan) == [1, 2, 4])
        #expect(plan.groups.map { "\($0.key)" } == ["application a", "application b", "full snapshots"])
        var filter = SnapshotFilter()
        filter.applications = ["a"]
        #expect(snapshots.filter(filter.passes).compactMap(\.id.bytes.first) == [1, 2])
    }

    @Test func `an empty tag in a list fits snapshots without tags`() {
        #expect(TagList("").fits([]))
        #expect(!TagList("").fits(["a"]))
        #expect(TagList(" a , b").tags == ["a", "b"])
        #expect(TagList("a,b").fits(["b", "c", "a"]))
        #expect(!TagList("a,b").fits(["a"]))
    }

    @Test func `a snapshot from the future is nobody's newest`() throws {
        let snapshots = [
            try candidate(3, "2100-01-01T00:00:00Z"), try candidate(2, "2025-01-02T00:00:00Z"),
            try candidate(1, "2025-01-01T00:00:00Z"),
        ]
        #expect(kept(try plan("--keep-within 12h", snapshots)) == [3, 2])
        #expect(kept(try plan("--keep-within 12h", [snapshots[0]])) == [3])
    }
}
