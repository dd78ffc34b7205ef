/// POSIX access control lists as Linux keeps them in extended attributes (linux/posix_acl_xattr.h): a version, 2, and
/// entries of tag, permissions and id; all little-endian.
enum AccessControlList {
    private static let version: UInt32 = 2

    /// The list in the short text form that acl_from_text(3) reads, with numbers for users and groups:
    /// `user::rw-,user:1234:rw-,group::r--,mask::rw-,other::---`.
    ///
    /// - Returns: nil for bytes that are no such list.
    static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 4, (bytes.count - 4) % 8 == 0, number(bytes, 0, 4) == version else { return nil }
        var entries: [String] = []
        for start in stride(from: 4, to: bytes.count, by: 8) {
            let id = String(number(bytes, start + 4, 4))
            let subject: String
            switch number(bytes, start, 2) {
            case 0x01: subject = "user:"
            case 0x02: subject = "user:\(id)"
            case 0x04: subject = "group:"
            case 0x08: subject = "group:\(id)"
            case 0x10: subject = "mask:"
            case 0x20: subject = "other:"
            default: return nil
            }
            let rights = number(bytes, start + 2, 2)
            guard rights < 8 else { return nil }
            let letters = (rights & 4 != 0 ? "r" : "-") + (rights & 2 != 0 ? "w" : "-") + (rights & 1 != 0 ? "x" : "-")
            entries.append("\(subject):\(letters)")
        }
        return entries.joined(separator: ",")
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt32 {
        (0..<count).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
