import RepositoryFormat
import Testing

@Suite struct TimestampTests {
    struct Row: Sendable {
        let seconds: Int64
        var nanoseconds: UInt32 = 0
        var offset: Int16 = 0
        let text: String
    }

    /// `date -u -d @SECONDS`, and RFC 3339 as Go's time.Time writes it: no zeros at the end of the decimals.
    static let rows = [
        Row(seconds: 0, text: "1970-01-01T00:00:00Z"),
        Row(seconds: -1, nanoseconds: 999_999_999, text: "1969-12-31T23:59:59.999999999Z"),
        Row(seconds: -1, nanoseconds: 1, text: "1969-12-31T23:59:59.000000001Z"),
        Row(seconds: -152_344_433, nanoseconds: 123_456_789, text: "1965-03-04T18:06:07.123456789Z"),
        Row(seconds: 1_419_259_679, nanoseconds: 912_400_000, offset: 60, text: "2014-12-22T15:47:59.9124+01:00"),
        Row(seconds: 2_147_483_648, text: "2038-01-19T03:14:08Z"),
        Row(seconds: 4_294_967_296, text: "2106-02-07T06:28:16Z"),
        Row(seconds: 951_782_400, text: "2000-02-29T00:00:00Z"),
        Row(seconds: 4_107_542_400, text: "2100-03-01T00:00:00Z"),
        Row(seconds: 1_700_000_000, nanoseconds: 500_000_000, offset: -210, text: "2023-11-14T18:43:20.5-03:30"),
        Row(seconds: 1_700_000_000, offset: 845, text: "2023-11-15T12:18:20+14:05"),
        Row(seconds: -62_135_596_800, text: "0001-01-01T00:00:00Z"),
        Row(seconds: -62_167_219_200, text: "0000-01-01T00:00:00Z"),
        Row(seconds: 253_402_300_799, text: "9999-12-31T23:59:59Z"),
    ]

    @Test(arguments: rows)
    func `times are written and read as Go does`(row: Row) throws {
        let time = Timestamp(seconds: row.seconds, nanoseconds: row.nanoseconds, offsetMinutes: row.offset)
        #expect(time.text == row.text)
        #expect(Timestamp(text: row.text) == time)
    }

    @Test(
        arguments: [
            // restic keeps month, day and time, and moves the year to the nearest that RFC 3339 can hold.
            (253_402_300_800, "9999-01-01T00:00:00Z"), (-62_167_219_201, "0000-12-31T23:59:59Z"),
            (.max, "9999-12-04T15:30:07Z"), (.min, "0000-01-27T08:29:52Z"),
        ] as [(Int64, String)])
    func `years out of range are moved into it`(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).text == text)
    }

    @Test func `the 29th of February of a far leap year becomes a day that the year 9999 has`() {
        // 12000-02-29: 25 periods of 400 years after 2000-02-29, which is day 11,016. Go's AddDate turns a day that a year
        // lacks into the next.
        let days: Int64 = 11_016 + 25 * 146_097
        let text = Timestamp(seconds: days * 86400).text
        #expect(text == "9999-03-01T00:00:00Z")
        #expect(Timestamp(text: text) != nil)
    }

    @Test(arguments: [
        "", "2014", "2014-12-22", "2014-12-22T14:47:59", "2014-12-22 14:47:59Z", "2014-13-22T14:47:59Z",
        "2014-00-22T14:47:59Z", "2014-12-00T14:47:59Z", "2014-12-32T14:47:59Z", "2014-12-22T24:47:59Z",
        "2014-12-22T14:60:59Z", "2014-12-22T14:47:61Z", "2014-12-22T14:47:59.Z", "2014-12-22T14:47:59+0100",
        "2014-12-22T14:47:59+24:00", "2014-12-22T14:47:59+01:60", "2014-12-22T14:47:59+", "2014-12-22T14:47:59ZZ",
        "2014-12-22T14:47:59.5", "-014-12-22T14:47:59Z", "20145-12-22T14:47:59Z", "2014-12-22T14:47:5/Z",
    ])
    func `what is no RFC 3339 time is refused`(text: String) {
        #expect(Timestamp(text: text) == nil)
    }

    @Test func `more than nine decimals are read, nine of them count`() {
        #expect(Timestamp(text: "1970-01-01T00:00:00.1234567899999Z")?.nanoseconds == 123_456_789)
        #expect(Timestamp(text: "1970-01-01T00:00:00.1Z")?.nanoseconds == 100_000_000)
        #expect(Timestamp(text: "1970-01-01t00:00:00z") == Timestamp(seconds: 0))
    }

    @Test func `milliseconds round down before and after 1970`() {
        #expect(Timestamp(milliseconds: 1500) == Timestamp(seconds: 1, nanoseconds: 500_000_000))
        #expect(Timestamp(milliseconds: -1) == Timestamp(seconds: -1, nanoseconds: 999_000_000))
        #expect(Timestamp(milliseconds: -1000) == Timestamp(seconds: -1))
        for value: Int64 in [0, 1, -1, 999, -999, 1000, -1001, 1_700_000_000_123, .max, .min] {
            #expect(Timestamp(milliseconds: value).milliseconds == value)
        }
        #expect(Timestamp(seconds: .max).milliseconds == .max)
        #expect(Timestamp(seconds: .min).milliseconds == .min)
    }

    @Test func `instants are equal wherever the clocks hung`() throws {
        let berlin = try #require(Timestamp(text: "2014-12-22T15:47:59.5+01:00"))
        let utc = try #require(Timestamp(text: "2014-12-22T14:47:59.5Z"))
        #expect(berlin.isSameInstant(as: utc))
        #expect(berlin != utc)
    }
}
