import JSON

/// An object below `snapshots/`: restic's design, section "Snapshots".
package struct SnapshotRecord: Sendable, Hashable {
    package var time: Timestamp
    package var parent: ObjectID?
    package var tree: ObjectID
    package var paths: [String]
    package var hostname: String
    package var username: String
    package var uid: UInt32
    package var gid: UInt32
    package var excludes: [String]
    package var tags: [String]
    package var original: ObjectID?
    package var programVersion: String
    /// Counters of the backup, as newer restic writes and shows them; nil when the writer kept none.
    package var summary: Summary?

    /// What a backup did: restic's `SnapshotSummary`.
    package struct Summary: Sendable, Hashable {
        package var started: Timestamp
        package var ended: Timestamp
        package var filesNew: UInt64 = 0
        package var filesChanged: UInt64 = 0
        package var filesUnmodified: UInt64 = 0
        package var directoriesNew: UInt64 = 0
        package var directoriesChanged: UInt64 = 0
        package var directoriesUnmodified: UInt64 = 0
        package var dataBlobs: UInt64 = 0
        package var treeBlobs: UInt64 = 0
        /// Bytes of new blobs before and after compression and sealing.
        package var dataAdded: UInt64 = 0
        package var dataAddedPacked: UInt64 = 0
        package var totalFilesProcessed: UInt64 = 0
        package var totalBytesProcessed: UInt64 = 0

        package init(started: Timestamp, ended: Timestamp) {
            self.started = started
            self.ended = ended
        }

        /// The counters and the names of their members, in restic's order.
        static var counters: [(name: String, path: WritableKeyPath<Summary, UInt64>)] {
            [
                ("files_new", \.filesNew), ("files_changed", \.filesChanged), ("files_unmodified", \.filesUnmodified),
                ("dirs_new", \.directoriesNew), ("dirs_changed", \.directoriesChanged),
                ("dirs_unmodified", \.directoriesUnmodified), ("data_blobs", \.dataBlobs), ("tree_blobs", \.treeBlobs),
                ("data_added", \.dataAdded), ("data_added_packed", \.dataAddedPacked),
                ("total_files_processed", \.totalFilesProcessed), ("total_bytes_processed", \.totalBytesProcessed),
            ]
        }
    }

    package init(
        time: Timestamp, tree: ObjectID, paths: [String], hostname: String, username: String = "", uid: UInt32 = 0,
        gid: UInt32 = 0, excludes: [String] = [], tags: [String] = [], parent: ObjectID? = nil,
        original: ObjectID? = nil, programVersion: String = "", summary: Summary? = nil
    ) {
        self.time = time
        self.tree = tree
        self.paths = paths
        self.hostname = hostname
        self.username = username
        self.uid = uid
        self.gid = gid
        self.excludes = excludes
        self.tags = tags
        self.parent = parent
        self.original = original
        self.programVersion = programVersion
        self.summary = summary
    }

    /// - Throws: ``FormatError``.
    package init(decoding bytes: [UInt8]) throws {
        let reader = try documentReader(bytes, "snapshot")
        self = try reader.document("snapshot") { reader in
            guard let time = Timestamp(text: try reader.string("time")),
                let tree = ObjectID(hexadecimal: try reader.string("tree"))
            else { throw FormatError("snapshot", "its time or tree cannot be read") }
            let wordRange: ClosedRange<Int64> = 0...Int64(UInt32.max)
            return SnapshotRecord(
                time: time, tree: tree, paths: try reader.optionalStrings("paths") ?? [],
                hostname: try reader.optionalString("hostname") ?? "",
                username: try reader.optionalString("username") ?? "",
                uid: UInt32(clamping: try reader.optionalInteger("uid", in: wordRange) ?? 0),
                gid: UInt32(clamping: try reader.optionalInteger("gid", in: wordRange) ?? 0),
                excludes: try reader.optionalStrings("excludes") ?? [], tags: try reader.optionalStrings("tags") ?? [],
                parent: ObjectID(hexadecimal: try reader.optionalString("parent") ?? ""),
                original: ObjectID(hexadecimal: try reader.optionalString("original") ?? ""),
                programVersion: try reader.optionalString("program_version") ?? "", summary: try Self.summary(reader))
        }
    }

    private static func summary(_ reader: JSONReader) throws -> Summary? {
        guard let reader = try reader.optionalReader("summary"),
            let started = Timestamp(text: try reader.optionalString("backup_start") ?? ""),
            let ended = Timestamp(text: try reader.optionalString("backup_end") ?? "")
        else { return nil }
        var summary = Summary(started: started, ended: ended)
        for (name, path) in Summary.counters {
            summary[keyPath: path] = UInt64(clamping: try reader.optionalCount(name) ?? 0)
        }
        return summary
    }

    /// The JSON of the snapshot, members in restic's order, empty ones left out as there.
    package func encoded() throws -> [UInt8] {
        func strings(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        var object = JSONObject([("time", .string(time.text))])
        if let parent { object["parent"] = .string(parent.hexadecimal) }
        object["tree"] = .string(tree.hexadecimal)
        object["paths"] = strings(paths)
        if !hostname.isEmpty { object["hostname"] = .string(hostname) }
        if !username.isEmpty { object["username"] = .string(username) }
        if uid != 0 { object["uid"] = .integer(Int64(uid)) }
        if gid != 0 { object["gid"] = .integer(Int64(gid)) }
        if !excludes.isEmpty { object["excludes"] = strings(excludes) }
        if !tags.isEmpty { object["tags"] = strings(tags) }
        if let original { object["original"] = .string(original.hexadecimal) }
        if !programVersion.isEmpty { object["program_version"] = .string(programVersion) }
        if let summary {
            var counters = JSONObject([
                ("backup_start", .string(summary.started.text)), ("backup_end", .string(summary.ended.text)),
            ])
            for (name, path) in Summary.counters { counters[name] = .integer(Int64(clamping: summary[keyPath: path])) }
            object["summary"] = .object(counters)
        }
        return try object.encoded()
    }
}
