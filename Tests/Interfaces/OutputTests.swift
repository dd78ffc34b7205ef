import Archiving
import Pipelines
import SnapshotModel
import Testing

@testable import Commands

@Suite struct OutputTests {
    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"), (3_000_000, "2.86 MiB"),
            (1 << 30, "1.00 GiB"), (5 << 40, "5.00 TiB"), (5000 << 40, "5000.00 TiB"),
        ] as [(Int64, String)])
    func `bytes have binary units`(count: Int64, text: String) {
        #expect(Units.bytes(count) == text)
    }

    @Test(arguments: [
        (Duration.milliseconds(40), "0.0 s"), (.milliseconds(2540), "2.5 s"), (.seconds(59), "59.0 s"),
        (.seconds(200), "3m 20s"), (.seconds(3900), "1h 05m"), (.seconds(360_000), "100h 00m"),
    ])
    func `times have the unit that fits`(duration: Duration, text: String) {
        #expect(Units.time(duration) == text)
    }

    @Test func `a number that has no decimals to show is a question mark`() {
        #expect(Units.decimal(.infinity, 2) == "?")
        #expect(Units.decimal(.nan, 2) == "?")
        #expect(Units.decimal(1e300, 2) == "?")
        #expect(Units.decimal(1.005, 1) == "1.0")
        #expect(Units.decimal(9.99, 1) == "10.0")
    }

    @Test func `columns are aligned and lines have no spaces at their end`() {
        var table = Table(["ID", "NAME", "NOTE"])
        table.add(["1", "long name", ""])
        table.add(["200", "n", "x"])
        #expect(table.lines == ["ID   NAME       NOTE", "1    long name", "200  n          x"])
    }

    @Test func `what would move the cursor is shown as its number`() {
        #expect(Terminal.printable("plain – ünï\n") == "plain – ünï\n")
        #expect(Terminal.printable("a\u{1B}[31mb\rc\u{9B}d\t") == "a\\x1b[31mb\\xdc\\x9bd\\x9")
    }

    @Test func `an error as JSON is one line`() {
        #expect(
            JSONLine.exitError(code: 2, "a \"b\"\nc")
                == #"{"message_type":"exit_error","code":2,"message":"a \"b\"\nc"}"#)
    }

    @Test(
        arguments: [
            ("latest", "latest", nil), ("ab12:/x/y", "ab12", "/x/y"), ("ab12:", "ab12", ""), ("a:b:c", "a", "b:c"),
        ] as [(String, String, String?)])
    func `a snapshot's path stands behind the first colon`(text: String, name: String, path: String?) {
        let argument = SnapshotArgument(text)
        #expect(argument.name == name && argument.path == path)
    }

    @Test func `the line of progress has rate and time left once they are known`() {
        var counts = ArchiveCounts(ArchiveStatistics())
        counts.entries = 3
        counts.bytes = 10 << 20
        #expect(RunView.line(nil, "planning", .seconds(1)) == "planning")
        #expect(
            RunView.line(counts, "app: capturing", .seconds(2))
                == "app: capturing  3 entries  10.00 MiB  5.00 MiB/s")
        counts.totalBytes = 20 << 20
        #expect(
            RunView.line(counts, "app: capturing", .seconds(2))
                == "app: capturing  3 entries  10.00 MiB of 20.00 MiB  5.00 MiB/s  2.0 s left")
        counts.totalBytes = 1
        #expect(
            RunView.line(counts, "app: capturing", .seconds(2))
                == "app: capturing  3 entries  10.00 MiB  5.00 MiB/s")
    }
}
