import RepositoryFormat
import TestSupport
import Testing

/// Trees read node by node give what trees read whole give.
@Suite struct TreeReaderTests {
    private static func nodes(_ bytes: [UInt8]) throws -> [TreeNode] {
        var reader = try TreeReader(bytes)
        var nodes: [TreeNode] = []
        while let node = try reader.next() { nodes.append(node) }
        #expect(try reader.next() == nil)
        return nodes
    }

    private static let tree = TreeEncoding.encoded(["a", "b", "c"].map { TreeTests.node($0) })

    @Test func `the nodes are those of the whole tree`() throws {
        #expect(try Self.nodes(Self.tree) == TreeDecoding.nodes(Self.tree))
        #expect(try Self.nodes(Self.tree).count == 3)
        for empty in ["{}", "{\"nodes\":[]}\n", " { \"nodes\" : null } ", "{\"x\":[{}],\"nodes\":[],\"y\":1}"] {
            #expect(try Self.nodes(Array(empty.utf8)) == [])
            #expect(try TreeDecoding.nodes(Array(empty.utf8)) == [])
        }
    }

    @Test func `what the whole tree refuses is refused`() throws {
        for length in 0..<Self.tree.count - 1 {
            #expect(throws: FormatError.self) { try Self.nodes(Array(Self.tree[..<length])) }
        }
        for bad in [
            "", "[]", "{\"nodes\":[],}", "{\"nodes\":[]}x", "{\"nodes\":[1]}", "{,}", "{\"nodes\":[{\"name\":\"a\"}]}",
            "{\"nodes\":{}}", "null",
        ] {
            #expect(throws: FormatError.self, "\(bad)") { try Self.nodes(Array(bad.utf8)) }
            #expect(throws: FormatError.self, "\(bad)") { try TreeDecoding.nodes(Array(bad.utf8)) }
        }
        let unsorted = TreeEncoding.encoded(["b", "a"].map { TreeTests.node($0) })
        #expect(throws: FormatError.self) { try Self.nodes(unsorted) }
    }

    @Test func `every changed byte gives the same as the whole tree, or an error`() throws {
        for position in Self.tree.indices {
            for flip in [UInt8(1), 0x20, 0x80] {
                var bytes = Self.tree
                bytes[position] ^= flip
                let whole = try? TreeDecoding.nodes(bytes)
                #expect((try? Self.nodes(bytes)) == whole, "byte \(position)")
            }
        }
    }
}
