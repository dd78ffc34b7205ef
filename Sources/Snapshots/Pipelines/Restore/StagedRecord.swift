import JSON
package import SnapshotModel

/// What a journal keeps of a ``StagedEntry``, so that the next start can undo or finish a restore that was killed.
package struct StagedRecord: Sendable, Hashable {
    /// The application it belongs to.
    package var application: ApplicationName
    /// Tells the entries of one run apart.
    package var number: Int64
    /// The absolute path where it belongs; symbolic links of a volume's own path are resolved.
    package var target: String
    /// Where the new one is built; after the exchange the old one is here.
    package var stage: String
    /// Whether the target is a mount point, whose children are exchanged.
    package var isMountPoint: Bool
    /// Whether something was at the target before.
    package var targetExisted: Bool
    /// Device and inode of what was staged, by which the new one is told from the old one wherever it lies; nil until it
    /// is complete. Source: inode(7), both together identify a file.
    package var identity: Identity?

    /// A file as the kernel knows it, whatever its name.
    package struct Identity: Sendable, Hashable {
        /// The device number.
        package var device: UInt64
        /// The inode number.
        package var inode: UInt64
    }
}

extension StagedRecord {
    /// The payload of `restore.staged` and `restore.swapping`. Device and inode are decimal texts: they use all 64 bits.
    var json: JSONObject {
        .present([
            ("application", .string(application.text)), ("number", .integer(number)), ("target", .journalText(target)),
            ("stage", .journalText(stage)), ("mount_point", .bool(isMountPoint)),
            ("target_existed", .bool(targetExisted)), ("device", identity.map { .string(String($0.device)) }),
            ("inode", identity.map { .string(String($0.inode)) }),
        ])
    }

    /// - Throws: `JSONError`, `SnapshotModelError`.
    init(_ reader: JSONReader) throws {
        let device = try reader.optionalString("device").flatMap { UInt64($0) }
        let inode = try reader.optionalString("inode").flatMap { UInt64($0) }
        self.init(
            application: try ApplicationName(try reader.string("application")), number: try reader.count("number"),
            target: try reader.string("target"), stage: try reader.string("stage"),
            isMountPoint: try reader.bool("mount_point"), targetExisted: try reader.bool("target_existed"),
            identity: device.flatMap { device in inode.map { Identity(device: device, inode: $0) } })
    }
}
