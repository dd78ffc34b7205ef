import Chunking
import JSON
import RepositoryCrypto
import RepositoryFormat
import TestSupport

/// A piece of work whose instructions are counted. Inputs depend on nothing but the code here.
struct MeasuredWork: Sendable {
    let name: String
    /// Makes the input and gives what is to be counted.
    let prepare: @Sendable () throws -> (() throws -> Void)

    static let all = [
        MeasuredWork(name: "chunk-16-MiB", prepare: chunk), MeasuredWork(name: "hash-and-seal-8-MiB", prepare: seal),
        MeasuredWork(name: "tree-encode-5000", prepare: encodeTree),
        MeasuredWork(name: "tree-decode-5000", prepare: decodeTree),
        MeasuredWork(name: "index-decode-50000", prepare: decodeIndex),
        MeasuredWork(name: "json-line-2000", prepare: jsonLines),
    ]

    private struct Unprepared: Error {}

    private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = PseudoRandom(seed: seed)
        return random.bytes(count)
    }

    private static func ids(_ count: Int) -> [ObjectID] {
        let bytes = bytes(32 * count, seed: 7)
        return (0..<count).compactMap { ObjectID(Array(bytes[32 * $0..<32 * $0 + 32])) }
    }

    @Sendable private static func chunk() throws -> () throws -> Void {
        guard let polynomial = Polynomial(hexadecimal: "3da3358b4dc173"), let chunker = Chunker(polynomial) else {
            throw Unprepared()
        }
        let bytes = bytes(16 << 20, seed: 1)
        return {
            var cuts = 0
            bytes.withUnsafeBytes { bytes in
                var rest = bytes
                while let cut = chunker.cut(in: rest) {
                    cuts += 1
                    rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
                }
            }
            guard cuts > 5 else { throw Unprepared() }
        }
    }

    @Sendable private static func seal() throws -> () throws -> Void {
        let content = bytes(8 << 20, seed: 2)
        guard let key = SealingKey(derived: bytes(64, seed: 3)) else { throw Unprepared() }
        let sealer = try Sealer(key)
        let hasher = SHA256Hasher()
        var digest = [UInt8](repeating: 0, count: SHA256Hasher.digestByteCount)
        var output = [UInt8](repeating: 0, count: content.count + Sealer.overheadByteCount)
        return {
            try content.withUnsafeBytes { content in
                digest.withUnsafeMutableBytes { digest in
                    if let base = digest.baseAddress { hasher.hash(content, into: base) }
                }
                try output.withUnsafeMutableBytes { output in
                    if let base = output.baseAddress { try sealer.seal(content, into: base) }
                }
            }
        }
    }

    private static func nodes() -> [TreeNode] {
        ids(5000).enumerated().map { number, id in
            let time = Timestamp(seconds: 1_700_000_000 + Int64(number), nanoseconds: UInt32(number) * 1000 + 123)
            let digits = String(number)
            let name = Array(("file-" + String(repeating: "0", count: 6 - digits.count) + digits + ".txt").utf8)
            var node = TreeNode(
                name: name, kind: number % 10 == 0 ? .dir : .file, modified: time, accessed: time, changed: time)
            (node.mode, node.uid, node.gid, node.inode) = (0o644, 1000, 1000, UInt64(number) + 4711)
            (node.user, node.group) = (Array("user".utf8), Array("group".utf8))
            if node.kind == .dir {
                node.subtree = id
            } else {
                (node.content, node.size, node.links) = ([id], UInt64(number) * 37, 1)
            }
            return node
        }
    }

    @Sendable private static func encodeTree() throws -> () throws -> Void {
        let nodes = nodes()
        return { guard TreeEncoding.encoded(nodes).count > 1_000_000 else { throw Unprepared() } }
    }

    @Sendable private static func decodeTree() throws -> () throws -> Void {
        let tree = TreeEncoding.encoded(nodes())
        return { guard try TreeDecoding.nodes(tree).count == 5000 else { throw Unprepared() } }
    }

    @Sendable private static func decodeIndex() throws -> () throws -> Void {
        let ids = ids(50_050)
        var packs: [(id: ObjectID, blobs: [PackedBlob])] = []
        for pack in 0..<50 {
            var blobs: [PackedBlob] = []
            for blob in 1...1000 {
                blobs.append(
                    PackedBlob(
                        id: ids[pack * 1001 + blob], kind: .data, offset: UInt32(blob) * 1500, length: 1500,
                        uncompressedLength: blob % 4 == 0 ? nil : 4000))
            }
            packs.append((id: ids[pack * 1001], blobs: blobs))
        }
        let index = IndexDocument.encoded(packs)
        return {
            var count = 0
            try index.withUnsafeBytes { index in
                try IndexDocument.forEachPack(in: index) { _, blobs in count += blobs.count }
            }
            guard count == 50_000 else { throw Unprepared() }
        }
    }

    @Sendable private static func jsonLines() throws -> () throws -> Void {
        let line: JSONObject = [
            "jsonrpc": "2.0", "id": "r-000123", "method": "storage.put",
            "params": .object([
                "key": "data/ab/abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
                "path": "/var/cache/stillpoint/spool/run-1/in/object-123-456", "size": .integer(16_777_216),
                "sha256": "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", "if_absent": true,
            ]),
        ]
        return {
            for _ in 0..<2000 {
                let bytes = try line.encoded()
                guard try JSONValue.parse(bytes).objectValue?.count == 4 else { throw Unprepared() }
            }
        }
    }
}
