import Chunking
import JSON
import Repository
import RepositoryCrypto
import RepositoryFormat
import SnapshotModel

extension FuzzTarget {
    /// A snapshot.
    static let snapshot = FuzzTarget(
        "snapshot",
        seeds: {
            var record = SnapshotRecord(
                time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5, offsetMinutes: -90),
                tree: ObjectID(hashing: [1]),
                paths: ["/a", "/ä"], hostname: "host", username: "user", uid: 1000, gid: .max, excludes: ["*.o"],
                tags: ["run=1", ""], parent: ObjectID(hashing: [2]), original: ObjectID(hashing: [3]),
                programVersion: "stillpoint 1")
            let full = try record.encoded()
            record.summary = .init(started: Timestamp(seconds: 1), ended: Timestamp(seconds: 2))
            record.summary?.dataAdded = 1 << 40
            let least = #"{"time":"2014-12-22T14:47:59Z","tree":"\#(ObjectID(hashing: [1]))","paths":null}"#
            return ["full": full, "summary": try record.encoded(), "least": Array(least.utf8)]
        },
        examine: { bytes in
            guard let record = try? SnapshotRecord(decoding: Array(bytes)) else { return }
            try requireRoundTrip(record, encode: { try $0.encoded() }, decode: SnapshotRecord.init(decoding:))
        })

    /// A key, and the master key within it.
    static let key = FuzzTarget(
        "key",
        seeds: {
            let document = KeyDocument(
                created: Timestamp(seconds: 1_700_000_000), username: "user", hostname: "host", cost: 32768,
                blockSize: 8, parallelism: 6, salt: Array(0..<64), data: Array(0..<130))
            let master = MasterKeyDocument(
                encryption: Array(0..<32), macK: Array(repeating: 1, count: 16), macR: Array(repeating: 2, count: 16))
            return [
                "key": try document.encoded(), "master": try master.encoded(),
                "least": Array(#"{"kdf":"scrypt","N":2,"r":1,"p":1,"salt":"","data":""}"#.utf8),
            ]
        },
        examine: { bytes in
            let bytes = Array(bytes)
            if let key = try? KeyDocument(decoding: bytes) {
                try requireRoundTrip(key, encode: { try $0.encoded() }, decode: KeyDocument.init(decoding:))
                let derivation = KeyDerivation(
                    cost: key.cost, blockSize: key.blockSize, parallelism: key.parallelism)
                // Deriving is the one thing here that takes time on purpose: what is allowed is checked, what is cheap
                // is done as well.
                if derivation.isAllowed {
                    let work = key.cost * key.blockSize * key.parallelism
                    try require(work <= KeyDerivation.maximumWork, "a key may ask for \(work) units of work")
                    if work <= 1 << 6 { _ = try derivation.derive(password: [1], salt: key.salt) }
                } else {
                    let derived = try? derivation.derive(password: [1], salt: key.salt)
                    try require(derived == nil, "parameters that are not allowed are used")
                }
            }
            if let master = try? MasterKeyDocument(decoding: bytes) {
                try requireRoundTrip(master, encode: { try $0.encoded() }, decode: MasterKeyDocument.init(decoding:))
                _ = SealingKey(encryption: master.encryption, macK: master.macK, macR: master.macR)
            }
        })

    /// The config, and the chunker that its polynomial makes.
    static let config = FuzzTarget(
        "config",
        seeds: {
            let id = ObjectID(hashing: [1]).hexadecimal
            let config = RepositoryConfig(version: 2, id: id, chunkerPolynomial: "25b468838dcb75")
            return [
                "config": try config.encoded(),
                "small": Array(#"{"version":1,"id":"\#(id)","chunker_polynomial":"201"}"#.utf8),
                "newer": Array(#"{"version":99,"id":"\#(id)","chunker_polynomial":"25b468838dcb75"}"#.utf8),
                "zero": Array(#"{"version":2,"id":"","chunker_polynomial":"0"}"#.utf8),
            ]
        },
        examine: { bytes in
            guard let config = try? RepositoryConfig(decoding: Array(bytes)) else { return }
            try require((1...2).contains(config.version), "version \(config.version) is taken")
            try requireRoundTrip(config, encode: { try $0.encoded() }, decode: RepositoryConfig.init(decoding:))
            guard let polynomial = Polynomial(hexadecimal: config.chunkerPolynomial) else { return }
            try require((-1...63).contains(polynomial.degree), "a degree of \(polynomial.degree)")
            guard let chunker = Chunker(polynomial) else { return }
            let zeros = [UInt8](repeating: 0, count: 1 << 10)
            let cut = zeros.withUnsafeBytes { chunker.cut(in: $0, from: 0) }
            try require(cut == nil, "a chunk of \(cut ?? 0) bytes")
        })

    /// A lock.
    static let lock = FuzzTarget(
        "lock",
        seeds: {
            let lock = LockDocument(
                time: Timestamp(seconds: 1_700_000_000, offsetMinutes: 60), exclusive: true, hostname: "host",
                username: "user", pid: 4711, uid: 1000, gid: 1000, bootID: "b", processStart: 12)
            let other = #"{"time":"2014-12-22T14:47:59.9124+01:00","exclusive":false,"hostname":"h","pid":1,"uid":5}"#
            return ["ours": try lock.encoded(), "theirs": Array(other.utf8)]
        },
        examine: { bytes in
            guard let lock = try? LockDocument(decoding: Array(bytes)) else { return }
            try requireRoundTrip(lock, encode: { try $0.encoded() }, decode: LockDocument.init(decoding:))
        })

    /// `snapshot.json`, which is read from snapshots that others may have written.
    static let document = FuzzTarget(
        "document", seeds: { ["full": Array(DocumentSeeds.full.utf8), "least": Array(DocumentSeeds.least.utf8)] },
        examine: { bytes in
            guard let object = try? JSONObject.parse(bytes), let document = try? SnapshotDocument(json: object) else {
                return
            }
            try requireRoundTrip(
                document, encode: { try $0.json.encoded() },
                decode: { try SnapshotDocument(json: $0.withUnsafeBytes { try JSONObject.parse($0) }) })
            _ = document.tags()
            _ = RecoveryDocument(for: document).text
        })
}
