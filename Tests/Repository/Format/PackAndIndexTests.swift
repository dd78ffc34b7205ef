import RepositoryFormat
import TestSupport
import Testing

@Suite struct PackAndIndexTests {
    static let blobs = [
        PackedBlob(id: TreeTests.id(1), kind: .data, offset: 0, length: 100, uncompressedLength: nil),
        PackedBlob(id: TreeTests.id(2), kind: .tree, offset: 100, length: 32, uncompressedLength: 500),
        PackedBlob(id: TreeTests.id(3), kind: .data, offset: 132, length: 70_000, uncompressedLength: .max),
        PackedBlob(id: TreeTests.id(4), kind: .tree, offset: 70_132, length: 33, uncompressedLength: nil),
    ]
    static let byteCount = 70_165

    @Test func `a header comes back, and each entry has its size`() throws {
        let header = PackHeader.encoded(Self.blobs)
        #expect(header.count == 2 * 37 + 2 * 41)
        #expect(header[0] == 0 && header[37] == 3)
        #expect(try PackHeader.blobs(header, dataByteCount: Self.byteCount) == Self.blobs)
        #expect(try PackHeader.blobs([], dataByteCount: 0) == [])
        #expect(PackHeader.lengthField(sealedHeaderByteCount: 0x01020304) == [4, 3, 2, 1])
    }

    @Test func `lengths that do not add up are refused`() {
        let header = PackHeader.encoded(Self.blobs)
        for count in [0, Self.byteCount - 1, Self.byteCount + 1, .max] {
            #expect(throws: FormatError.self) { try PackHeader.blobs(header, dataByteCount: count) }
        }
        let large = [
            PackedBlob(id: TreeTests.id(1), kind: .data, offset: 0, length: .max, uncompressedLength: nil),
            PackedBlob(id: TreeTests.id(2), kind: .data, offset: 0, length: 32, uncompressedLength: nil),
        ]
        #expect(throws: FormatError("pack header", "its lengths overflow")) {
            try PackHeader.blobs(PackHeader.encoded(large), dataByteCount: 31)
        }
    }

    @Test func `no truncation and no flipped byte of a header traps`() {
        let header = PackHeader.encoded(Self.blobs)
        Mutations.eachTruncation(of: header) { part in
            #expect(throws: FormatError.self) { try PackHeader.blobs(part, dataByteCount: Self.byteCount) }
        }
        Mutations.eachFlippedByte(of: header) { changed, _ in
            if let blobs = try? PackHeader.blobs(changed, dataByteCount: Self.byteCount) {
                #expect(blobs.reduce(0) { $0 + Int($1.length) } == Self.byteCount)
            }
        }
    }

    private func packs(_ bytes: [UInt8]) throws -> [ObjectID: [PackedBlob]] {
        var packs: [ObjectID: [PackedBlob]] = [:]
        try bytes.withUnsafeBytes { try IndexDocument.forEachPack(in: $0) { packs[$0] = $1 } }
        return packs
    }

    @Test func `an index is read however its JSON is written`() throws {
        let text = String(decoding: IndexDocument.encoded([(TreeTests.id(7), Self.blobs)]), as: UTF8.self)
        let expected = [TreeTests.id(7): Self.blobs]
        #expect(try packs(Array(text.utf8)) == expected)
        let variants = [
            text.replacing(",", with: " ,\n\t").replacing(":", with: " : "),
            text.replacing("\"type\"", with: "\"new\":[1,{}],\"type\""),
            text.replacing("}", with: ",\"note\":\"}\"}"),
            text.replacing("{\"id\":", with: "{\"first\":null,\"id\":"),
        ]
        for variant in variants { #expect(try packs(Array(variant.utf8)) == expected, "\(variant)") }
        for wrong in [
            text.replacing("\"tree\"", with: "\"leaf\""), text.replacing("\"length\":32", with: "\"length\":31"),
            text.replacing("\"offset\":100", with: "\"offset\":4294967295"),
            text.replacing("\"offset\":100", with: "\"offset\":-1"), text.replacing("\"offset\":100,", with: ""),
        ] {
            #expect(throws: FormatError.self, "\(wrong)") { try packs(Array(wrong.utf8)) }
        }
    }

    @Test func `an index comes back`() throws {
        let other = [PackedBlob(id: TreeTests.id(9), kind: .data, offset: 0, length: 32, uncompressedLength: nil)]
        let bytes = IndexDocument.encoded(
            [(TreeTests.id(7), Self.blobs), (TreeTests.id(8), other)], supersedes: [TreeTests.id(5), TreeTests.id(6)])
        #expect(try packs(bytes) == [TreeTests.id(7): Self.blobs, TreeTests.id(8): other])
        #expect(try packs(IndexDocument.encoded([])) == [:])
        #expect(try packs(Array(#"{"packs":null,"new":[{}]}"#.utf8)) == [:])
    }

    @Test(arguments: [
        #"{"type":"data","offset":0,"length":40}"#, #"{"id":"ID","offset":0,"length":40}"#,
        #"{"id":"ID","type":"data","length":40}"#, #"{"id":"ID","type":"data","offset":0}"#,
        #"{"id":"ID","type":"other","offset":0,"length":40}"#, #"{"id":"ID","type":"data","offset":0,"length":31}"#,
        #"{"id":"ID","type":"data","offset":-1,"length":40}"#,
        #"{"id":"ID","type":"data","offset":0,"length":4294967296}"#,
        #"{"id":"ID","type":"data","offset":4294967290,"length":40}"#,
        #"{"id":"ID","type":"data","offset":0,"length":40,"uncompressed_length":4294967296}"#, "null", "[]",
    ])
    func `broken and hostile entries of an index are refused`(entry: String) {
        let id = String(repeating: "ab", count: 32)
        let text = "{\"packs\":[{\"id\":\"\(id)\",\"blobs\":[\(entry)]}]}".split(separator: "ID").joined(separator: id)
        #expect(throws: FormatError.self) { try packs(Array(text.utf8)) }
    }

    @Test func `no truncation and no flipped byte of an index traps`() {
        let bytes = IndexDocument.encoded([(TreeTests.id(7), Self.blobs)], supersedes: [TreeTests.id(5)])
        Mutations.eachTruncation(of: bytes) { part in
            #expect(throws: FormatError.self) { try packs(part) }
        }
        Mutations.eachFlippedByte(of: bytes) { changed, _ in _ = try? packs(changed) }
    }
}
