import RepositoryFormat

/// An entry of a tar archive in the pax format: POSIX.1-2017, utility pax, "ustar Interchange Format" and "pax Extended
/// Header". Extended attributes are written as GNU tar and star do.
struct TarEntry {
    /// The values of `typeflag`.
    enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symlink = 0x32
        case characterDevice = 0x33
        case blockDevice = 0x34
        case directory = 0x35
        case fifo = 0x36
        /// The records that go before another entry.
        case extended = 0x78
    }

    static let blockByteCount = 512

    var kind: Kind
    /// Relative, any bytes; a directory ends with a slash.
    var path: [UInt8]
    var linkTarget: [UInt8] = []
    /// Permission bits, 0o7777.
    var mode: UInt32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var user: [UInt8] = []
    var group: [UInt8] = []
    /// Bytes of content that follow the header; 0 for all but files.
    var byteCount: UInt64 = 0
    var modified = Timestamp(seconds: 0)
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var attributes: [TreeNode.ExtendedAttribute] = []

    /// The header, with an extended one in front where the plain one has no room.
    func encoded() -> [UInt8] {
        let records = records()
        guard !records.isEmpty else { return block() }
        var extended = TarEntry(
            kind: .extended, path: Array("PaxHeaders/".utf8) + (path.split(separator: 0x2F).last ?? []))
        extended.mode = 0o644
        extended.byteCount = UInt64(records.count)
        extended.modified = Timestamp(seconds: max(0, modified.seconds))
        return extended.block() + records + Self.padding(of: UInt64(records.count)) + block()
    }

    /// Zeros that fill the last block of a content.
    static func padding(of byteCount: UInt64) -> [UInt8] {
        let rest = Int(byteCount % UInt64(blockByteCount))
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : blockByteCount - rest)
    }

    // MARK: Extended header

    /// What a plain header cannot say, `LENGTH KEYWORD=VALUE` a line.
    private func records() -> [UInt8] {
        var output: [UInt8] = []
        func add(_ keyword: String, _ value: [UInt8]) { Self.append(Array(keyword.utf8), value, to: &output) }
        func add(_ keyword: String, _ number: UInt64) { add(keyword, Array(String(number).utf8)) }
        if path.count > 100 { add("path", path) }
        if linkTarget.count > 100 { add("linkpath", linkTarget) }
        if byteCount > Self.maximum(digits: 11) { add("size", byteCount) }
        if UInt64(uid) > Self.maximum(digits: 7) { add("uid", UInt64(uid)) }
        if UInt64(gid) > Self.maximum(digits: 7) { add("gid", UInt64(gid)) }
        if user.count > 31 { add("uname", user) }
        if group.count > 31 { add("gname", group) }
        if modified.nanoseconds > 0 || modified.seconds < 0 || modified.seconds > Int64(Self.maximum(digits: 11)) {
            add("mtime", Array(Self.text(modified).utf8))
        }
        for attribute in attributes {
            // Access control lists have keywords of their own (star, GNU tar); what is no list stays what it is.
            let name = String(decoding: attribute.name, as: UTF8.self)
            if let keyword = Self.listKeywords[name], let text = AccessControlList.text(attribute.value) {
                add(keyword, Array(text.utf8))
            } else {
                let escaped = attribute.name.flatMap { byte -> [UInt8] in
                    // As GNU tar: '=' ends a keyword.
                    byte == 0x3D ? Array("%3D".utf8) : byte == 0x25 ? Array("%25".utf8) : [byte]
                }
                Self.append(Array("SCHILY.xattr.".utf8) + escaped, attribute.value, to: &output)
            }
        }
        return output
    }

    private static let listKeywords = [
        "system.posix_acl_access": "SCHILY.acl.access", "system.posix_acl_default": "SCHILY.acl.default",
    ]

    private static func append(_ keyword: [UInt8], _ value: [UInt8], to output: inout [UInt8]) {
        // The length counts itself.
        let rest = keyword.count + value.count + 3
        var length = rest + String(rest).utf8.count
        length = rest + String(length).utf8.count
        output += Array(String(length).utf8) + [0x20] + keyword + [0x3D] + value + [0x0A]
    }

    /// Seconds with decimals; before 1970 the fraction counts away from it: -1.5 is a second and a half before.
    private static func text(_ time: Timestamp) -> String {
        guard time.nanoseconds > 0 else { return String(time.seconds) }
        let isNegative = time.seconds < 0
        let whole = isNegative ? (time.seconds + 1).magnitude : time.seconds.magnitude
        var digits = String(isNegative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(isNegative ? "-" : "")\(whole).\(digits)"
    }

    // MARK: Plain header

    private func block() -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockByteCount)
        func put(_ bytes: [UInt8], at offset: Int, room: Int) {
            block.replaceSubrange(offset..<offset + min(room, bytes.count), with: bytes.prefix(room))
        }
        // Octal with a NUL behind; what does not fit stands in the extended header.
        func put(_ number: UInt64, at offset: Int, room: Int) {
            let value = number > Self.maximum(digits: room - 1) ? 0 : number
            let digits = String(value, radix: 8)
            put(
                Array((String(repeating: "0", count: room - 1 - digits.utf8.count) + digits).utf8), at: offset,
                room: room)
        }
        put(path, at: 0, room: 100)
        put(UInt64(mode), at: 100, room: 8)
        put(UInt64(uid), at: 108, room: 8)
        put(UInt64(gid), at: 116, room: 8)
        put(byteCount, at: 124, room: 12)
        put(UInt64(max(0, modified.seconds)), at: 136, room: 12)
        block[156] = kind.rawValue
        put(linkTarget, at: 157, room: 100)
        put(Array("ustar\0".utf8) + Array("00".utf8), at: 257, room: 8)
        put(Array(user.prefix(31)), at: 265, room: 32)
        put(Array(group.prefix(31)), at: 297, room: 32)
        put(UInt64(major), at: 329, room: 8)
        put(UInt64(minor), at: 337, room: 8)
        // The sum of all bytes, those of the sum itself taken as spaces.
        let sum = block.reduce(UInt64(8 * 0x20)) { $0 + UInt64($1) }
        put(sum, at: 148, room: 7)
        block[155] = 0x20
        return block
    }

    /// The largest number of so many octal digits.
    static func maximum(digits: Int) -> UInt64 { (1 << UInt64(3 * digits)) - 1 }
}
