import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// Stock restic counts the same.
@Suite struct StatisticsTests {
    @Test(arguments: RepositoryStatistics.Mode.allCases)
    func `each mode counts what restic counts, for all snapshots and for one`(mode: RepositoryStatistics.Mode) throws {
        let queries = try QueryFixture()
        let repository = try queries.fixture.open()
        let all = try queries.snapshots(repository)
        for snapshots in [all, [all[1]]] {
            let names = snapshots.map(\.id.hexadecimal).joined(separator: " ")
            let theirs = try #require(try queries.restic("stats --json --mode \(mode.rawValue) \(names)").first)
            let ours = try StatisticsCount(repository, mode: mode, cancellation: queries.fixture.cancellation)
                .run(snapshots)
            #expect(theirs["total_size"] as? UInt64 == ours.byteCount)
            #expect(theirs["total_file_count"] as? UInt64 ?? 0 == ours.fileCount)
            #expect(theirs["total_blob_count"] as? UInt64 ?? 0 == ours.blobCount)
            #expect(ours.snapshotCount == snapshots.count)
            // restic 0.15 and later.
            if let ratio = theirs["compression_ratio"] as? Double {
                #expect(theirs["total_uncompressed_size"] as? UInt64 == ours.uncompressedByteCount)
                #expect(abs(ratio - (ours.compressionRatio ?? 0)) < 1e-9)
                let saving = theirs["compression_space_saving"] as? Double ?? 0
                #expect(abs(saving - (ours.compressionSpaceSaving ?? 0)) < 1e-9)
            }
        }
    }

    @Test func `without snapshots everything is zero`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        for mode in RepositoryStatistics.Mode.allCases {
            let statistics = try StatisticsCount(repository, mode: mode, cancellation: fixture.cancellation).run([])
            #expect(statistics.byteCount == 0 && statistics.fileCount == 0 && statistics.blobCount == 0)
            #expect(statistics.compressionRatio == nil && statistics.compressionSpaceSaving == nil)
        }
    }

    @Test func `a tree that is missing ends the count with an error that names it`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let record = SnapshotRecord(
            time: Timestamp(seconds: 0), tree: ObjectID(hashing: [1]), paths: ["/x"], hostname: "h")
        let snapshot = OpenRepository.Snapshot(id: ObjectID(hashing: [2]), record: record)
        for mode in RepositoryStatistics.Mode.allCases {
            let error = #expect(throws: RepositoryError.self) {
                try StatisticsCount(repository, mode: mode, cancellation: fixture.cancellation).run([snapshot])
            }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains(record.tree.hexadecimal) == true)
        }
    }
}
