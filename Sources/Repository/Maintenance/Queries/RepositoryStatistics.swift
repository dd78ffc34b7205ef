/// What a repository, or some of its snapshots, amount to. The names of the modes and what they count are restic's
/// (manual, "Getting information about repository data").
package struct RepositoryStatistics: Sendable, Hashable {
    /// What is counted.
    package enum Mode: String, Sendable, CaseIterable {
        /// What a restore of each snapshot would write; a file with several names once.
        case restoreSize = "restore-size"
        /// Files with different content, whatever their names.
        case filesByContents = "files-by-contents"
        /// The blobs that the snapshots need, as they are stored.
        case rawData = "raw-data"
        /// The blobs of files with different content, once for each path.
        case blobsPerFile = "blobs-per-file"
    }

    /// What was counted.
    package var mode: Mode
    /// How many snapshots were looked at.
    package var snapshotCount = 0
    /// Bytes: of content, or of sealed blobs with ``Mode/rawData``.
    package var byteCount: UInt64 = 0
    /// Entries with ``Mode/restoreSize``, directories included; files with the others, and 0 with ``Mode/rawData``.
    package var fileCount: UInt64 = 0
    /// With ``Mode/rawData`` and ``Mode/blobsPerFile``.
    package var blobCount: UInt64 = 0
    /// With ``Mode/rawData``: bytes as if nothing were compressed, sealing included.
    package var uncompressedByteCount: UInt64 = 0
    /// Those of ``byteCount`` and ``uncompressedByteCount`` that belong to compressed blobs.
    package var compressedBlobsByteCount: UInt64 = 0
    package var compressedBlobsUncompressedByteCount: UInt64 = 0

    init(mode: Mode) { self.mode = mode }

    /// How many times smaller compression makes what is compressed; nil when nothing is.
    package var compressionRatio: Double? {
        guard compressedBlobsByteCount > 0 else { return nil }
        return Double(compressedBlobsUncompressedByteCount) / Double(compressedBlobsByteCount)
    }

    /// Percent of the bytes that are compressed; nil without ``Mode/rawData``.
    package var compressionProgress: Double? {
        guard uncompressedByteCount > 0 else { return nil }
        return Double(compressedBlobsUncompressedByteCount) / Double(uncompressedByteCount) * 100
    }

    /// Percent of the bytes that compression saves; nil without ``Mode/rawData``.
    package var compressionSpaceSaving: Double? {
        guard uncompressedByteCount > 0 else { return nil }
        return (1 - Double(byteCount) / Double(uncompressedByteCount)) * 100
    }
}

extension UInt64 {
    /// Adds without trapping: sizes come from outside.
    mutating func addClamped(_ other: UInt64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
