import Foundation
import Repository
import RepositoryCrypto
import RepositoryFormat
import Retention
import TestSupport

/// Snapshots at every kind of awkward time, of several hosts, with several paths and tags.
enum RetentionSamples {
    /// When it is, for tests.
    static let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))

    private static let hosts = ["alpha", "beta", "alpha", "gamma"]
    private static let paths = [["/srv/data"], ["/etc", "/srv/data"], ["/srv/data", "/etc"], ["/home"]]
    private static let tags = [
        [], ["nightly"], ["nightly", "release"], ["release", "nightly"], ["weekly"], ["pinned"], ["nightly", "weekly"],
    ]

    /// Writes snapshots without data; nothing but their times, hosts, paths and tags matters here.
    static func store(in repository: OpenRepository) throws -> [RetentionCandidate] {
        var random = PseudoRandom(seed: 7)
        return try times().enumerated().map { number, time in
            let record = SnapshotRecord(
                time: time, tree: ObjectID(hashing: [1]), paths: paths[Int(random.next() % 4)],
                hostname: hosts[Int(random.next() % 4)], tags: tags[Int(random.next() % 7)],
                programVersion: "sample \(number)")
            return RetentionCandidate(id: try repository.save(record), record: record)
        }
    }

    /// No two are the same instant: of such restic leaves the order open.
    static func times() -> [Timestamp] {
        var times: [Timestamp] = []
        // The nights in which summer time ends and begins in Berlin: every 40 minutes, an hour shown twice, one never.
        for start in ["2023-03-26T00:10:00+01:00", "2023-10-28T23:50:00+02:00", "2024-03-30T23:00:00+01:00"] {
            let first = Timestamp(text: start)?.seconds ?? 0
            for step in 0..<7 { times.append(berlin(first + Int64(step) * 2400)) }
        }
        // Around the ends of years whose last days belong to week 53, 52 or 1.
        for year in 2019...2025 {
            for day in ["12-28", "12-29", "12-30", "12-31"] {
                times += [Timestamp(text: "\(year)-\(day)T23:59:59+01:00")].compactMap { $0 }
            }
            for day in ["01-01", "01-02", "01-03", "02-28"] {
                times += [Timestamp(text: "\(year)-\(day)T00:00:00.5Z")].compactMap { $0 }
            }
        }
        // Many in one second.
        for number in 0..<12 {
            times.append(Timestamp(seconds: 1_717_200_000, nanoseconds: UInt32(number), offsetMinutes: -300))
        }
        // Anywhere in three years, on clocks of several places.
        var random = PseudoRandom(seed: 42)
        for _ in 0..<40 {
            let seconds = 1_672_531_200 + Int64(random.next() % (3 * 365 * 86_400))
            switch random.next() % 4 {
            case 0: times.append(Timestamp(seconds: seconds, nanoseconds: 250_000_000, offsetMinutes: 330))
            case 1: times.append(Timestamp(seconds: seconds, nanoseconds: 1))
            default: times.append(berlin(seconds))
            }
        }
        // Month ends, from which a month back is no day of the calendar, and a time that has not come yet.
        times += ["2025-03-31T12:00:00+02:00", "2025-05-31T02:30:00+02:00", "2025-10-26T02:30:00+02:00"]
            .compactMap { Timestamp(text: $0) }
        times.append(Timestamp(seconds: 4_102_444_800))
        return times
    }

    /// A time on the clocks of Berlin.
    private static func berlin(_ seconds: Int64) -> Timestamp {
        let zone = TimeZone(identifier: "Europe/Berlin") ?? .gmt
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
        return Timestamp(seconds: seconds, nanoseconds: 5, offsetMinutes: Int16(offset / 60))
    }
}
