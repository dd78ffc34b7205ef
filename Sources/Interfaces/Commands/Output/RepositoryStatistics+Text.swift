import JSON
import Maintenance
import SnapshotModel

extension RepositoryStatistics {
    /// What `stats --json` prints: restic's members, and the mode.
    var json: JSONObject {
        var object: JSONObject = [
            "message_type": "statistics", "mode": .string(mode.rawValue),
            "snapshots_count": .integer(Int64(snapshotCount)), "total_size": .integer(Int64(clamping: byteCount)),
        ]
        if mode != .rawData { object["total_file_count"] = .integer(Int64(clamping: fileCount)) }
        if mode == .rawData || mode == .blobsPerFile {
            object["total_blob_count"] = .integer(Int64(clamping: blobCount))
        }
        if uncompressedByteCount > 0 {
            object["total_uncompressed_size"] = .integer(Int64(clamping: uncompressedByteCount))
        }
        object["compression_ratio"] = compressionRatio.map { .real($0) }
        object["compression_progress"] = compressionProgress.map { .real($0) }
        object["compression_space_saving"] = compressionSpaceSaving.map { .real($0) }
        return object
    }

    /// For people.
    var lines: [String] {
        func line(_ name: String, _ value: String) -> String {
            name + String(repeating: " ", count: 14 - name.count) + value
        }
        var lines = [line("mode", mode.rawValue), line("snapshots", String(snapshotCount))]
        if mode == .restoreSize { lines.append(line("entries", String(fileCount))) }
        if mode == .filesByContents || mode == .blobsPerFile { lines.append(line("files", String(fileCount))) }
        if mode == .rawData || mode == .blobsPerFile { lines.append(line("blobs", String(blobCount))) }
        lines.append(line("size", Units.bytes(Int64(clamping: byteCount))))
        guard mode == .rawData, uncompressedByteCount > 0 else { return lines }
        lines.append(line("uncompressed", Units.bytes(Int64(clamping: uncompressedByteCount))))
        if let ratio = compressionRatio, let progress = compressionProgress, let saving = compressionSpaceSaving {
            lines.append(
                line(
                    "compression",
                    "\(Units.decimal(ratio, 2))x for \(Units.decimal(progress, 1)) % of the data, saves "
                        + "\(Units.decimal(saving, 1)) %"))
        }
        return lines
    }
}
