import JSON

/// An object below `locks/`: restic's design, section "Locks".
package struct LockDocument: Sendable, Hashable {
    /// When it was made or last refreshed; older than 30 minutes means stale.
    package var time: Timestamp
    /// Nobody else may hold any lock beside an exclusive one.
    package var exclusive: Bool
    package var hostname: String
    package var username: String
    package var pid: Int64
    package var uid: UInt32
    package var gid: UInt32
    /// Our own addition, which restic ignores: the kernel's boot id of the holder.
    package var bootID: String?
    /// Our own addition: start time of the holder in clock ticks after boot (`/proc/PID/stat`, field 22).
    package var processStart: Int64?
    /// Our own addition: the namespace in which ``pid`` counts (pid_namespaces(7)), as the inode of its file.
    package var processNamespace: Int64?
    /// Our own addition: names the holder's machine beyond its host name, which is not unique.
    package var machine: String?

    package init(
        time: Timestamp, exclusive: Bool, hostname: String, username: String, pid: Int64, uid: UInt32, gid: UInt32,
        bootID: String?, processStart: Int64?, processNamespace: Int64? = nil, machine: String? = nil
    ) {
        self.time = time
        self.exclusive = exclusive
        self.hostname = hostname
        self.username = username
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.bootID = bootID
        self.processStart = processStart
        self.processNamespace = processNamespace
        self.machine = machine
    }

    /// - Throws: ``FormatError``.
    package init(decoding bytes: [UInt8]) throws {
        let reader = try documentReader(bytes, "lock")
        self = try reader.document("lock") { reader in
            guard let time = Timestamp(text: try reader.string("time")) else {
                throw FormatError("lock", "its time cannot be read")
            }
            return LockDocument(
                time: time, exclusive: try reader.optionalBool("exclusive") ?? false,
                hostname: try reader.optionalString("hostname") ?? "",
                username: try reader.optionalString("username") ?? "", pid: try reader.optionalInteger("pid") ?? 0,
                uid: UInt32(clamping: try reader.optionalInteger("uid") ?? 0),
                gid: UInt32(clamping: try reader.optionalInteger("gid") ?? 0),
                bootID: try reader.optionalString("boot_id"), processStart: try reader.optionalInteger("process_start"),
                processNamespace: try reader.optionalInteger("process_namespace"),
                machine: try reader.optionalString("machine"))
        }
    }

    /// The JSON of the lock.
    package func encoded() throws -> [UInt8] {
        var object = JSONObject([
            ("time", .string(time.text)), ("exclusive", .bool(exclusive)), ("hostname", .string(hostname)),
            ("username", .string(username)), ("pid", .integer(pid)),
        ])
        if uid != 0 { object["uid"] = .integer(Int64(uid)) }
        if gid != 0 { object["gid"] = .integer(Int64(gid)) }
        if let bootID { object["boot_id"] = .string(bootID) }
        if let processStart { object["process_start"] = .integer(processStart) }
        if let processNamespace { object["process_namespace"] = .integer(processNamespace) }
        if let machine { object["machine"] = .string(machine) }
        return try object.encoded()
    }
}
