import RepositoryFormat
import TestSupport
import Testing

/// Config, keys, snapshots and locks: small JSON documents.
@Suite struct DocumentTests {
    static let time = Timestamp(seconds: 1_600_000_000, nanoseconds: 120_000_000, offsetMinutes: 120)

    static var snapshot: SnapshotRecord {
        var summary = SnapshotRecord.Summary(started: time, ended: time)
        for (number, counter) in SnapshotRecord.Summary.counterPaths.enumerated() {
            summary[keyPath: counter] = UInt64(number) + 1
        }
        return SnapshotRecord(
            time: time, tree: TreeTests.id(1), paths: ["/a", "/b \"<ü>"], hostname: "host", username: "user", uid: .max,
            gid: 5, excludes: ["*.tmp"], tags: ["x", "y"], parent: TreeTests.id(2), original: TreeTests.id(3),
            programVersion: "stillpoint 1", summary: summary)
    }
    static let lock = LockDocument(
        time: time, exclusive: true, hostname: "host", username: "user", pid: 4711, uid: 1000, gid: 100, bootID: "boot",
        processStart: 99)
    static let key = KeyDocument(
        created: time, username: "user", hostname: "host", cost: 32768, blockSize: 8, parallelism: 6,
        salt: [UInt8](repeating: 7, count: 64), data: [UInt8](repeating: 9, count: 200))
    static let master = MasterKeyDocument(
        encryption: [UInt8](repeating: 1, count: 32), macK: [UInt8](repeating: 2, count: 16),
        macR: [UInt8](repeating: 3, count: 16))
    static let config = RepositoryConfig(
        version: 2, id: String(repeating: "ab", count: 32), chunkerPolynomial: "3da3358b4dc173")

    @Test func `each document comes back as it was`() throws {
        #expect(try SnapshotRecord(decoding: Self.snapshot.encoded()) == Self.snapshot)
        #expect(try LockDocument(decoding: Self.lock.encoded()) == Self.lock)
        #expect(try KeyDocument(decoding: Self.key.encoded()) == Self.key)
        #expect(try MasterKeyDocument(decoding: Self.master.encoded()) == Self.master)
        #expect(try RepositoryConfig(decoding: Self.config.encoded()) == Self.config)
    }

    @Test func `empty members are left out, as restic does`() throws {
        let record = SnapshotRecord(time: Timestamp(seconds: 0), tree: TreeTests.id(1), paths: ["/x"], hostname: "h")
        let tree = String(repeating: "01", count: 32)
        #expect(
            String(decoding: try record.encoded(), as: UTF8.self)
                == #"{"time":"1970-01-01T00:00:00Z","tree":"\#(tree)","paths":["/x"],"hostname":"h"}"#)
        #expect(try SnapshotRecord(decoding: record.encoded()) == record)
    }

    @Test(arguments: [
        #"{"version":0,"id":"x","chunker_polynomial":"3da3358b4dc173"}"#,
        #"{"version":3,"id":"x","chunker_polynomial":"3da3358b4dc173"}"#, #"{"version":2,"id":"x"}"#,
        #"{"version":"2","id":"x","chunker_polynomial":"1"}"#, "[]", "",
    ])
    func `configs of other versions or without a member are refused`(text: String) {
        #expect(throws: FormatError.self) { try RepositoryConfig(decoding: Array(text.utf8)) }
    }

    @Test func `a key with another derivation, a snapshot without a tree and a lock without a time are refused`() throws
    {
        let key = String(decoding: try Self.key.encoded(), as: UTF8.self)
        let other = key.split(separator: "scrypt").joined(separator: "argon2")
        #expect(throws: FormatError("key", "its key derivation is not scrypt")) {
            try KeyDocument(decoding: Array(other.utf8))
        }
        #expect(throws: FormatError.self) {
            try SnapshotRecord(decoding: Array(#"{"time":"1970-01-01T00:00:00Z","paths":["/x"]}"#.utf8))
        }
        #expect(throws: FormatError.self) { try LockDocument(decoding: Array("{}".utf8)) }
    }

    @Test func `hostile numbers are clamped or refused, never trapped on`() throws {
        for number in ["-1", "-9223372036854775808", "9223372036854775807", "18446744073709551616", "1e400", "1.5"] {
            let texts = [
                #"{"time":"1970-01-01T00:00:00Z","pid":N,"uid":N,"gid":N,"process_start":N}"#,
                #"{"kdf":"scrypt","N":N,"r":N,"p":N,"salt":"","data":""}"#,
                #"{"time":"1970-01-01T00:00:00Z","tree":"\#(TreeTests.id(1))","uid":N,"summary":{"backup_start":"1970-01-01T00:00:00Z","backup_end":"1970-01-01T00:00:00Z","files_new":N}}"#,
                #"{"version":N,"id":"x","chunker_polynomial":"1"}"#,
            ].map { Array($0.split(separator: "N", omittingEmptySubsequences: false).joined(separator: number).utf8) }
            _ = try? LockDocument(decoding: texts[0])
            _ = try? KeyDocument(decoding: texts[1])
            _ = try? SnapshotRecord(decoding: texts[2])
            #expect(throws: FormatError.self) { try RepositoryConfig(decoding: texts[3]) }
        }
    }

    @Test func `no truncation and no flipped byte of a document traps`() throws {
        let documents: [([UInt8], @Sendable ([UInt8]) throws -> Void)] = [
            (try Self.snapshot.encoded(), { _ = try SnapshotRecord(decoding: $0).encoded() }),
            (try Self.lock.encoded(), { _ = try LockDocument(decoding: $0).encoded() }),
            (try Self.key.encoded(), { _ = try KeyDocument(decoding: $0).encoded() }),
            (try Self.master.encoded(), { _ = try MasterKeyDocument(decoding: $0).encoded() }),
            (try Self.config.encoded(), { _ = try RepositoryConfig(decoding: $0).encoded() }),
        ]
        for (bytes, decode) in documents {
            Mutations.eachTruncation(of: bytes) { part in #expect(throws: FormatError.self) { try decode(part) } }
            Mutations.eachFlippedByte(of: bytes) { changed, position in
                do { try decode(changed) } catch {
                    #expect(error is FormatError, "byte \(position): \(error)")
                }
            }
        }
    }
}

extension SnapshotRecord.Summary {
    /// All counters.
    static var counterPaths: [WritableKeyPath<SnapshotRecord.Summary, UInt64>] {
        [
            \.filesNew, \.filesChanged, \.filesUnmodified, \.directoriesNew, \.directoriesChanged,
            \.directoriesUnmodified, \.dataBlobs, \.treeBlobs, \.dataAdded, \.dataAddedPacked, \.totalFilesProcessed,
            \.totalBytesProcessed,
        ]
    }
}
