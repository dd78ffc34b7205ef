import TestSupport
import Testing

@testable import RepositoryFormat

@Suite struct TreeTests {
    static func node(_ name: String, kind: TreeNode.Kind = .file) -> TreeNode {
        let time = Timestamp(seconds: 1_600_000_000, nanoseconds: 5)
        var node = TreeNode(name: Array(name.utf8), kind: kind, modified: time, accessed: time, changed: time)
        if kind == .file { node.content = [] }
        if kind == .dir { node.subtree = id(1) }
        return node
    }

    static func id(_ byte: UInt8) -> ObjectID {
        ObjectID { $0.initializeMemory(as: UInt8.self, repeating: byte, count: 32) }
    }

    /// One of each kind, every member set somewhere.
    static var everything: [TreeNode] {
        var file = node("a<\"\\>\u{1F600}")
        file.mode = 0o4755 | GoFileMode.setuid
        file.uid = .max
        file.gid = 7
        file.user = Array("us\"er".utf8)
        file.group = Array("grüppe".utf8)
        file.inode = .max
        file.deviceID = 2049
        file.size = 1 << 40
        file.links = 2
        file.content = [id(2), id(3)]
        file.extendedAttributes = [
            .init(name: Array("user.note".utf8), value: Array("v".utf8)),
            .init(name: Array("user.none".utf8), value: []),
        ]
        var directory = node("b", kind: .dir)
        directory.genericAttributes = Array(#"{"windows.creation_time":"AAA="}"#.utf8)
        var link = node("c", kind: .symlink)
        link.linkTarget = [0xFF, 0x2F, 0xE2, 0x82]
        var device = node("d", kind: .dev)
        device.device = 0x700
        var failed = node("e", kind: .dir)
        failed.subtree = nil
        failed.error = Array("no entry".utf8)
        return [
            file, directory, link, device, failed, node("f", kind: .chardev), node("g", kind: .fifo),
            node("h", kind: .socket), node("i", kind: .irregular),
        ]
    }

    @Test func `a tree comes back as it was`() throws {
        let bytes = TreeEncoding.encoded(Self.everything)
        let nodes = try TreeDecoding.nodes(bytes)
        #expect(nodes == Self.everything)
        #expect(TreeEncoding.encoded(nodes) == bytes)
        #expect(try TreeDecoding.nodes(TreeEncoding.encoded([])) == [])
        #expect(String(decoding: TreeEncoding.encoded([]), as: UTF8.self) == "{\"nodes\":[]}\n")
    }

    @Test func `members that newer programs add, and null where restic writes it, are read`() throws {
        let time = "\"2020-01-01T00:00:00Z\""
        let text = """
            {"version":7,"nodes":[{"future":{"x":[1,2]},"name":"a","type":"file","mtime":\(time),"content":null,\
            "subtree":null,"extended_attributes":null,"linktarget_raw":null}],"more":null}
            """
        let nodes = try TreeDecoding.nodes(Array(text.utf8))
        #expect(nodes.map(\.name) == [Array("a".utf8)])
        #expect(nodes.first?.content == nil)
        #expect(try TreeDecoding.nodes(Array("{\"nodes\":null}".utf8)) == [])
        #expect(try TreeDecoding.nodes(Array("{}".utf8)) == [])
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "../x", #"a\\x00b"#, #"\\x2e\\x2e"#, #"\\x2f"#, #"\\u002fetc"#])
    func `names that lead elsewhere are refused`(name: String) {
        let text = "{\"nodes\":[{\"name\":\"\(name)\",\"type\":\"file\",\"content\":null}]}"
        let error = #expect(throws: FormatError.self) { try TreeDecoding.nodes(Array(text.utf8)) }
        #expect(error?.problem.hasPrefix("a node with a forbidden name") == true, "\(String(describing: error))")
    }

    @Test(arguments: [["b", "a"], ["a", "a"], ["a", "c", "b"], ["a", "b", "a"]])
    func `nodes out of order or twice are refused`(names: [String]) {
        let bytes = TreeEncoding.encoded(names.map { Self.node($0) })
        let error = #expect(throws: FormatError.self) { try TreeDecoding.nodes(bytes) }
        #expect(error?.problem.hasPrefix("nodes are not in order") == true)
    }

    @Test(arguments: [
        #"{"name":"a"}"#, #"{"name":"a","type":""}"#, #"{"type":"file"}"#, #"{"name":"a","type":"dir"}"#,
        #"{"name":"a","type":"file","mode":-1}"#, #"{"name":"a","type":"file","mode":4294967296}"#,
        #"{"name":"a","type":"file","size":18446744073709551616}"#, #"{"name":"a","type":"file","size":1.5}"#,
        #"{"name":"a","type":"file","mtime":"yesterday"}"#, #"{"name":"a","type":"file","content":["00"]}"#,
        #"{"name":"a","type":"file","content":[1]}"#, #"{"name":"a","type":"symlink","linktarget_raw":"*"}"#,
        #"{"name":"a\\q","type":"file"}"#, #"{"name":"a","type":"dir","subtree":"zz"}"#, "7", "null",
    ])
    func `broken nodes are refused`(node: String) {
        #expect(throws: FormatError.self) { try TreeDecoding.nodes(Array("{\"nodes\":[\(node)]}".utf8)) }
    }

    @Test func `no truncation and no flipped byte of a tree traps`() throws {
        let bytes = TreeEncoding.encoded(Self.everything)
        Mutations.eachTruncation(of: bytes) { part in
            // Only the line feed may be missing.
            if part.count < bytes.count - 1 {
                #expect(throws: FormatError.self) { try TreeDecoding.nodes(part) }
            }
        }
        Mutations.eachFlippedByte(of: bytes) { changed, position in
            guard let nodes = try? TreeDecoding.nodes(changed) else { return }
            // What is read can be written and read again.
            #expect((try? TreeDecoding.nodes(TreeEncoding.encoded(nodes))) != nil, "byte \(position)")
        }
    }

    @Test(
        arguments: [
            (0o100644, 0o644), (0o104755, 0o755 | 1 << 23), (0o102755, 0o755 | 1 << 22),
            (0o041777, 0o777 | 1 << 31 | 1 << 20),
            (0o120777, 0o777 | 1 << 27), (0o060600, 0o600 | 1 << 26), (0o020600, 0o600 | 1 << 26 | 1 << 21),
            (0o010600, 0o600 | 1 << 25), (0o140600, 0o600 | 1 << 24),
        ] as [(UInt32, UInt32)])
    func `modes are those of Go's io/fs`(mode: UInt32, encoded: UInt32) {
        #expect(GoFileMode.encoded(mode) == encoded)
        #expect(GoFileMode.permissions(encoded) == mode & 0o7777)
    }
}
