import Catalog
import Glibc
import Pipelines
package import Repository
package import Retention
import RepositoryFormat
import SnapshotModel

extension Host {
    /// The clock that the rules of retention go by: now, and this machine's time zone.
    package static func retentionClock() -> RetentionClock {
        RetentionClock(now: Timestamp(milliseconds: now().milliseconds)) { localOffset(atSecond: $0) }
    }

    /// Seconds east of UTC on this machine's clock at a moment; 0 where the C library knows none.
    static func localOffset(atSecond seconds: Int64) -> Int64 {
        var moment = time_t(seconds)
        var parts = tm()
        guard localtime_r(&moment, &parts) != nil else { return 0 }
        return Int64(parts.tm_gmtoff)
    }

    /// Takes into the catalog what the repository holds after snapshots were removed or changed.
    ///
    /// - Parameter snapshots: all that there are now.
    package func remember(_ snapshots: [OpenRepository.Snapshot]) throws {
        try catalog.rebuildSnapshots(in: Self.destinationName, from: snapshots.map(SnapshotSummary.init))
    }
}
