import JSON
import SnapshotModel
import Testing

@Suite struct MomentTests {
    /// Checked with `date -u -d @SECONDS +%FT%TZ` of GNU coreutils.
    static let pairs: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_795_367_762_123, "2026-11-22T17:16:02.123Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ]

    @Test(arguments: pairs)
    func `milliseconds and RFC 3339 are converted both ways`(_ milliseconds: Int64, _ text: String) throws {
        #expect(Moment(milliseconds: milliseconds).description == text)
        #expect(try Moment(rfc3339: text).milliseconds == milliseconds)
    }

    @Test func `offsets, fractions and leap seconds are read`() throws {
        #expect(try Moment(rfc3339: "1970-01-01T01:00:00+01:00").milliseconds == 0)
        #expect(try Moment(rfc3339: "1969-12-31t22:30:00-01:30").milliseconds == 0)
        #expect(try Moment(rfc3339: "1970-01-01T00:00:00.1239999Z").milliseconds == 123)
        #expect(try Moment(rfc3339: "1970-01-01T00:00:00.5z").milliseconds == 500)
        #expect(try Moment(rfc3339: "2016-12-31T23:59:60Z") == Moment(rfc3339: "2017-01-01T00:00:00Z"))
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T17:16:02", "2026-13-22T17:16:02Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-11-22T24:16:02Z", "2026-11-22T17:60:02Z", "2026-11-22T17:16:61Z", "2026-11-22T17:16:02.Z",
        "2026-11-22T17:16:02Zx", "2026-11-22T17:16:02+1:00", "2026-11-22T17:16:02+24:00", "+026-11-22T17:16:02Z",
        "2026-11-00T17:16:02Z",
    ])
    func `anything else is refused`(_ text: String) {
        let failure = #expect(throws: SnapshotModelError.self) { try Moment(rfc3339: text) }
        #expect(failure?.code == .malformedTime)
    }

    @Test func `every truncation of a time is refused`() {
        let text = "2026-11-22T17:16:02+01:00"
        for count in 0..<text.count {
            #expect(throws: SnapshotModelError.self) { try Moment(rfc3339: String(text.prefix(count))) }
        }
    }

    @Test func `the difference of the farthest times does not overflow`() {
        let first = Moment(milliseconds: .min)
        let last = Moment(milliseconds: .max)
        #expect(last.since(first) == .milliseconds(Int64.max))
        #expect(first.since(last) == .milliseconds(Int64.min))
        #expect(Moment(milliseconds: 1500).since(Moment(milliseconds: 500)) == .seconds(1))
        #expect(last.description == "292278994-08-17T07:12:55.807Z")
        #expect(first.description == "-292275055-05-16T16:47:04.192Z")
    }
}

@Suite struct RunIDTests {
    /// Returns the same numbers in each run.
    struct Counting: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    /// The time part is the example of the ULID specification, 01ARYZ6S41 for 1469918176385.
    @Test func `the time part is that of a ULID`() {
        var generator = Counting(state: 0)
        let id = RunID(at: Moment(milliseconds: 1_469_918_176_385), using: &generator)
        #expect(id.text.prefix(10) == "01aryz6s41")
        #expect(id.text.utf8.count == 26)
        #expect(id.time == Moment(milliseconds: 1_469_918_176_385))
    }

    @Test func `ids of later milliseconds sort after earlier ones`() {
        var generator = Counting(state: 7)
        let ids = (0..<2000).map { RunID(at: Moment(milliseconds: 1_795_367_762_000 + $0 * 37), using: &generator) }
        #expect(ids.sorted() == ids)
        #expect(Set(ids).count == ids.count)
    }

    @Test func `times beyond 48 bits are clamped`() {
        var generator = Counting(state: 1)
        #expect(RunID(at: Moment(milliseconds: .max), using: &generator).text.prefix(10) == "7zzzzzzzzz")
        #expect(RunID(at: Moment(milliseconds: -5), using: &generator).text.prefix(10) == "0000000000")
    }

    @Test func `an id is read back, anything else is refused`() throws {
        var generator = SystemRandomNumberGenerator()
        let id = RunID(at: Moment(milliseconds: 1), using: &generator)
        #expect(try RunID(id.text) == id)
        for text in [
            "", String(id.text.dropLast()), id.text + "0", "8" + id.text.dropFirst(), id.text.uppercased() + "A",
            "01aryz6s41tsv4rrffq69g5fau", "01ARYZ6S41TSV4RRFFQ69G5FAV", "../../../../../../../../etc",
        ] {
            let failure = #expect(throws: SnapshotModelError.self) { try RunID(text) }
            #expect(failure?.code == .malformedRunID)
        }
    }
}

@Suite struct WordTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("30s", .seconds(30)), ("10m", .seconds(600)), ("2h", .seconds(7200)),
        ("1d", .seconds(86_400)), ("0s", .zero), ("36500d", .seconds(36_500 * 86_400)),
    ])
    func `durations are read and written`(_ text: String, _ duration: Duration) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.format(duration) == text)
    }

    @Test(arguments: ["", "s", "30", "1.5h", "-1s", "+1s", "1 s", "1S", "1w", "36501d", "9999999999999999999s", "１s"])
    func `other texts are no durations`(_ text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test func `durations are written in the largest whole unit`() {
        #expect(DurationText.format(.seconds(5400)) == "90m")
        #expect(DurationText.format(.milliseconds(1500)) == "1500ms")
        #expect(DurationText.format(.microseconds(1500)) == "1ms")
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == Int64.max)
        #expect(Duration.seconds(Int64.min).wholeMilliseconds == Int64.min)
    }

    @Test(arguments: ["a", "0", "tracker", "a-b-c", "a--b", String(repeating: "x", count: 63)])
    func `slugs are names`(_ text: String) throws {
        #expect(try ApplicationName(text).text == text)
    }

    @Test(arguments: ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "ä", "..", String(repeating: "x", count: 64)])
    func `other texts are no names`(_ text: String) {
        #expect(throws: SnapshotModelError.self) { try ApplicationName(text) }
    }

    @Test func `a refused name says what a name is`() {
        let failure = #expect(throws: SnapshotModelError.self) { try ApplicationName("A b") }
        #expect(
            failure?.description
                == "'A b' is not a name of an application: use 1 to 63 characters a-z, 0-9 and '-', not '-' at either end"
        )
    }

    @Test func `a slug is suggested`() {
        #expect(Slug.suggestion(for: "Issue Tracker (new)") == "issue-tracker-new")
        #expect(Slug.suggestion(for: "--") == nil)
        #expect(Slug.suggestion(for: String(repeating: "ab-", count: 40))?.utf8.count == 62)
    }

    @Test func `exit codes are those of the table`() {
        let table = ExitCode.allCases.map { "\($0.rawValue) \($0.name)" }
        #expect(
            table == [
                "0 done", "1 failed", "2 usage", "3 partial", "10 no-repository", "11 locked", "12 wrong-password",
                "20 quiesce-failed", "21 release-not-confirmed", "22 rehearsal-failed", "24 verification-failed",
                "25 no-space", "26 license", "75 skipped", "130 interrupted", "143 terminated",
            ])
        #expect([2, 15, 1].map(ExitCode.init(signal:)) == [.interrupted, .terminated, .failed])
    }

    @Test func `a run has an exit code exactly when it is over`() {
        for state in RunState.allCases { #expect((state.exitCode != nil) == state.isFinal) }
        #expect(RunState.completedWithWarnings.exitCode == .partial)
        #expect(RunState.completedWithWarnings.title == "completed with warnings")
        #expect(RunState.rollingBack.mayHoldApplications && !RunState.storing.mayHoldApplications)
        #expect(RunKind.allCases.map(\.snapshotKind) == [.full, .partial, nil, nil, nil, nil])
        #expect(SnapshotKind.allCases.map(RunKind.init(snapshot:)) == [.fullSnapshot, .partialSnapshot])
    }

    @Test func `the worst consistency holds for all`() {
        #expect([Consistency.crash, .application].max() == .crash)
        #expect([Consistency.crash, .partial, .application].max() == .partial)
    }

    @Test func `password sources are read back, others are refused`() throws {
        for source in [PasswordSource.file("/etc/pw"), .command(["pass", "show", "x"]), .none] {
            #expect(try PasswordSource(json: source.json) == source)
        }
        let malformed: [JSONObject] = [
            ["file": "/a", "command": ["b"]], ["command": []], ["file": 1], ["password": "x"], ["command": "ls"],
        ]
        for json in malformed {
            let failure = #expect(throws: SnapshotModelError.self) { try PasswordSource(json: json) }
            #expect(failure?.code == .malformedDocument)
        }
    }
}
