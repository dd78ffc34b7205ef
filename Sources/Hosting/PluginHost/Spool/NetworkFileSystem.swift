import CLinux

/// File systems that other machines may use as well, where a lock of flock(2) may be known on this machine only.
enum NetworkFileSystem {
    /// NFS, SMB (three numbers), FUSE, Ceph, 9P, AFS, Lustre, GFS2, OCFS2. Source: statfs(2), linux/magic.h.
    private static let types: Set<UInt64> = [
        0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x6573_5546, 0x00C3_6400, 0x0102_1997, 0x5346_414F, 0x0BD0_0BD0,
        0x0116_1970, 0x7461_636F,
    ]

    /// Whether `path` lies on one; also when that cannot be found out.
    static func contains(_ path: String) -> Bool {
        let type = clinux_file_system_type(path)
        return type == 0 || types.contains(type)
    }
}
