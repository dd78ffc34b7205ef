import RepositoryFormat
import Retention
import Testing

@Suite struct RetentionCalendarTests {
    @Test(arguments: [
        ("1y5m7d2h", CalendarSpan(years: 1, months: 5, days: 7, hours: 2)), ("2h1y", CalendarSpan(years: 1, hours: 2)),
        ("  36h", CalendarSpan(hours: 36)), ("1d2d", CalendarSpan(days: 2)), ("", CalendarSpan()),
        ("0d", CalendarSpan()),
    ])
    func `a span is read as restic reads it`(text: String, span: CalendarSpan) throws {
        #expect(try CalendarSpan(text) == span)
    }

    @Test(arguments: ["7", "d", "1w", "-1d", "1d-2h", "1.5d", "1y 2", "9999999999999999999999d", "1000001h", "१d"])
    func `a text that is no span is refused`(text: String) throws {
        let error = try #require(throws: RetentionError.self) { try CalendarSpan(text) }
        #expect(error.code == .malformed)
        #expect(error.message.hasPrefix("'\(text)' is no span of time"))
    }

    @Test func `a span is shown without the parts that are zero`() throws {
        #expect("\(try CalendarSpan("2h0d1y"))" == "1y2h")
    }

    @Test func `counts are whole numbers or unlimited`() throws {
        #expect(try KeepCount("7") == .latest(7))
        #expect(try KeepCount("unlimited") == .all)
        #expect(try KeepCount("-1") == .all)
        #expect(try !KeepCount("0").isRule)
        for text in ["", "-2", "+3", "x", "1.0", "99999999999999999999"] {
            #expect(throws: RetentionError.self) { try KeepCount(text) }
        }
    }

    /// Weeks of ISO 8601, from the standard's own rule: the first week has the year's first Thursday.
    @Test(arguments: [
        ("2021-01-03", 2020, 53), ("2021-01-04", 2021, 1), ("2019-12-30", 2020, 1), ("2016-01-03", 2015, 53),
        ("2024-12-30", 2025, 1), ("2023-01-01", 2022, 52), ("1969-12-29", 1970, 1), ("1970-01-01", 1970, 1),
        ("0001-01-01", 1, 1), ("2000-02-29", 2000, 9),
    ])
    func `weeks belong to the year of their Thursday`(date: String, year: Int64, week: Int64) throws {
        let time = try #require(Timestamp(text: "\(date)T12:00:00Z"))
        #expect(LocalTime(time).isoWeek == (year, week))
    }

    @Test func `date and hour are those of the clock that wrote the time`() throws {
        let time = LocalTime(try #require(Timestamp(text: "2024-12-31T23:30:00-05:00")))
        #expect((time.year, time.month, time.day, time.hour) == (2024, 12, 31, 23))
        let early = LocalTime(try #require(Timestamp(text: "1965-06-01T00:30:00+05:30")))
        #expect((early.year, early.month, early.day, early.hour) == (1965, 6, 1, 0))
    }

    @Test(arguments: [
        ("2025-03-31T12:00:00+02:00", "1m", "2025-03-03T12:00:00+02:00"),
        ("2024-02-29T00:00:00Z", "1y", "2023-03-01T00:00:00Z"),
        ("2025-01-15T10:00:00Z", "13m", "2023-12-15T10:00:00Z"),
        ("2025-01-01T00:00:00Z", "1y1m1d1h", "2023-11-29T23:00:00Z"),
        ("2025-01-01T00:00:00Z", "36h", "2024-12-30T12:00:00Z"),
        ("2025-06-30T00:00:00Z", "2025y", "0000-06-30T00:00:00Z"),
    ])
    func `a span goes back on the calendar`(from: String, span: String, to: String) throws {
        let clock = RetentionClock(now: Timestamp(seconds: 0))
        let moment = clock.moment(try CalendarSpan(span), before: try #require(Timestamp(text: from)))
        #expect(moment.text == to)
    }

    @Test func `spans beyond every calendar do not overflow`() throws {
        let clock = RetentionClock(now: Timestamp(seconds: 0)) { _ in 0 }
        let span = try CalendarSpan("1000000y1000000m1000000d1000000h")
        let moment = clock.moment(span, before: try #require(Timestamp(text: "2025-01-01T00:00:00+01:00")))
        #expect(moment.seconds < -31_000_000_000_000)
    }

    @Test func `days are those of this machine's zone where the snapshot's offset is that of it`() throws {
        // A zone that is two hours east from the 1st of April 2025 on, and one hour before.
        let change = try #require(Timestamp(text: "2025-04-01T01:00:00Z")).seconds
        let clock = RetentionClock(now: Timestamp(seconds: 0)) { $0 >= change ? 7200 : 3600 }
        let span = try CalendarSpan("2d")
        let here = clock.moment(span, before: try #require(Timestamp(text: "2025-04-02T12:00:00+02:00")))
        #expect(here.seconds == Timestamp(text: "2025-03-31T12:00:00+01:00")?.seconds)
        let elsewhere = clock.moment(span, before: try #require(Timestamp(text: "2025-04-02T12:00:00+03:00")))
        #expect(elsewhere.seconds == Timestamp(text: "2025-03-31T12:00:00+03:00")?.seconds)
    }

    @Test func `groupings are read by restic's names`() throws {
        #expect(try SnapshotGrouping("hosts,path") == .standard)
        #expect(try SnapshotGrouping("") == SnapshotGrouping())
        #expect(try "\(SnapshotGrouping("tags,application"))" == "tags,application")
        #expect(throws: RetentionError.self) { try SnapshotGrouping("host,owner") }
    }
}
