import Repository
import RepositoryFormat

extension FuzzTarget {
    /// An index file, and the table in memory that is filled from it.
    static let index = FuzzTarget(
        "index",
        seeds: {
            func blob(_ number: UInt8, _ offset: UInt32, _ size: UInt32?) -> PackedBlob {
                PackedBlob(
                    id: ObjectID(hashing: [number]), kind: number % 2 == 0 ? .data : .tree, offset: offset, length: 50,
                    uncompressedLength: size)
            }
            let packs = [
                (id: ObjectID(hashing: [100]), blobs: [blob(1, 0, nil), blob(2, 50, 9)]),
                (id: ObjectID(hashing: [101]), blobs: [blob(1, .max - 50, .max)]),
                (id: ObjectID(hashing: [102]), blobs: []),
            ]
            return [
                "empty": Array("{}".utf8), "null": Array(#"{"packs":null}"#.utf8),
                "packs": IndexDocument.encoded(packs),
                "supersedes": IndexDocument.encoded(
                    packs, supersedes: [ObjectID(hashing: [5]), ObjectID(hashing: [6])]),
                "future": Array(#"{"later":[{"a":1.5e-3,"b":"\u00e4\ud83d\ude00"},null,true,[]],"packs":[]}"#.utf8),
            ]
        },
        examine: { bytes in
            func packs(_ bytes: UnsafeRawBufferPointer) throws -> [IndexedPack] {
                var packs: [IndexedPack] = []
                try IndexDocument.forEachPack(in: bytes) { packs.append(IndexedPack(id: $0, blobs: $1)) }
                return packs
            }
            guard let found = try? packs(bytes) else { return }
            // Of all lengths a blob of zero bytes of content is the only one that has two spellings.
            try requireRoundTrip(
                found, encode: { IndexDocument.encoded($0.map { ($0.id, $0.blobs) }) },
                decode: { try $0.withUnsafeBytes(packs) })
            let index = BlobIndex()
            for pack in found { index.insert(pack: pack.id, blobs: pack.blobs) }
            var first: [ObjectID: [BlobKind: (pack: ObjectID, blob: PackedBlob)]] = [:]
            for pack in found {
                for blob in pack.blobs where first[blob.id]?[blob.kind] == nil {
                    first[blob.id, default: [:]][blob.kind] = (pack.id, blob)
                }
            }
            for (id, kinds) in first {
                for (kind, location) in kinds {
                    let found = index.location(of: id, kind)
                    try require(
                        found?.pack == location.pack && found?.blob == location.blob, "the blob \(id) has another place"
                    )
                }
            }
            try require(index.count == first.values.reduce(0) { $0 + $1.count }, "the index counts wrong")
        })

    /// A tree.
    static let tree = FuzzTarget(
        "tree",
        seeds: {
            [
                "empty": TreeEncoding.encoded([]), "kinds": TreeEncoding.encoded(TreeSeeds.kinds),
                "names": TreeEncoding.encoded(TreeSeeds.names), "null": Array(#"{"nodes":null}"#.utf8),
                "rare": Array(TreeSeeds.rare.utf8),
            ]
        },
        examine: { bytes in
            guard let nodes = try? TreeDecoding.nodes(bytes) else { return }
            var names: Set<[UInt8]> = []
            for node in nodes {
                try require(names.insert(node.name).inserted, "a name stands twice")
                try require(
                    !node.name.isEmpty && !node.name.contains { $0 == 0x2F || $0 == 0 }, "a name leads elsewhere")
                try require(node.name != [0x2E] && node.name != [0x2E, 0x2E], "a name leads upwards")
                try require(node.modified.nanoseconds < 1_000_000_000, "too many nanoseconds")
            }
            try requireRoundTrip(nodes, encode: { TreeEncoding.encoded($0) }, decode: { try TreeDecoding.nodes($0) })
        })
}

private struct IndexedPack: Equatable {
    let id: ObjectID
    let blobs: [PackedBlob]
}

private enum TreeSeeds {
    static func node(_ name: [UInt8], _ kind: TreeNode.Kind) -> TreeNode {
        let time = Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789, offsetMinutes: 90)
        var node = TreeNode(name: name, kind: kind, modified: time, accessed: time, changed: Timestamp(seconds: -1))
        if kind == .dir { node.subtree = ObjectID(hashing: [3]) }
        return node
    }

    static var kinds: [TreeNode] {
        var file = node([0x61], .file)
        file.mode = 0o644 | GoFileMode.setuid
        (file.uid, file.gid, file.inode, file.deviceID) = (1000, .max, .max, 2049)
        file.user = Array("us\"er".utf8)
        file.group = Array("grüppe".utf8)
        (file.size, file.links) = (1 << 40, 2)
        file.content = [ObjectID(hashing: [1]), ObjectID(hashing: [2])]
        file.extendedAttributes = [.init(name: Array("user.a".utf8), value: [0, 255]), .init(name: [0x62], value: [])]
        var directory = node([0x62], .dir)
        directory.genericAttributes = Array(#"{"windows.creation_time":"AAA=","n":[1,-2.5e3,null]}"#.utf8)
        var link = node([0x63], .symlink)
        link.linkTarget = [0xFF, 0x2F, 0xE2, 0x82]
        var device = node([0x64], .chardev)
        device.device = 0x700
        var failed = node([0x65], .dir)
        failed.subtree = nil
        failed.error = Array("no entry".utf8)
        return [file, directory, link, device, failed, node([0x66], .fifo), node([0x67], .socket)]
    }

    static var names: [TreeNode] {
        let names: [[UInt8]] = [
            [0x0A], [0x22, 0x5C], [0x3C, 0x26, 0x3E], [0x7F], Array("ä\u{200B}😀".utf8), [0xFF, 0xFE],
        ]
        return names.map { node($0, .irregular) }
    }

    /// Members in another order, escapes, white space, null where it may be.
    static let rare = #"""
        { "later" : {"x":[1,{}]} , "nodes" : [ {"type":"symlink","name":"\\x41\\u00e4\"","linktarget_raw":"/w==",
        "linktarget":"\ufffd","mode":134218239,"content":null,"mtime":"2014-12-22T14:47:59.912418701+01:00",
        "atime":"0001-01-01T00:00:00Z","ctime":"9999-12-31T23:59:59.999999999-23:59","extended_attributes":null,
        "generic_attributes":null,"subtree":null,"error":"\ud83d\ude00\ud800x"} ] }
        """#
}
