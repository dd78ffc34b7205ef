import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing

@testable import Repository

@Suite struct BlobIndexTests {
    private static func id(_ number: Int, _ salt: UInt64 = 0) -> ObjectID {
        // Spread like digests are, without the cost of one.
        var state = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 &+ salt
        return ObjectID { bytes in
            for word in 0..<4 {
                state = (state ^ state >> 31) &* 0xBF58_476D_1CE4_E5B9 &+ 1
                bytes.storeBytes(of: state ^ state >> 29, toByteOffset: word * 8, as: UInt64.self)
            }
        }
    }

    private static func blobs(_ numbers: Range<Int>) -> [PackedBlob] {
        numbers.map {
            PackedBlob(
                id: id($0), kind: $0 % 10 == 0 ? .tree : .data, offset: UInt32($0), length: 100,
                uncompressedLength: $0 % 3 == 0 ? nil : 200)
        }
    }

    @Test(arguments: [1_000, 3_072, 3_073, 99_000, 300_000])
    func `a blob takes at most 64 bytes, and each is found where it lies`(count: Int) throws {
        let index = BlobIndex()
        for start in stride(from: 0, to: count, by: 1000) {
            index.insert(pack: Self.id(start, 7), blobs: Self.blobs(start..<min(start + 1000, count)))
        }
        #expect(index.count == count)
        #expect(index.byteCount <= 64 * count)
        #expect(index.packs.count == (count + 999) / 1000)
        for number in stride(from: 0, to: count, by: 77) {
            let kind: BlobKind = number % 10 == 0 ? .tree : .data
            let location = try #require(index.location(of: Self.id(number), kind))
            #expect(location.pack == Self.id(number / 1000 * 1000, 7))
            #expect(location.blob == Self.blobs(number..<number + 1)[0])
            #expect(index.location(of: Self.id(number), kind == .tree ? .data : .tree) == nil)
            #expect(!index.contains(Self.id(number, 3), kind))
        }
    }

    @Test func `what was only claimed and what no index file tells of is forgotten`() throws {
        let index = BlobIndex()
        index.insert(pack: Self.id(1, 7), blobs: Self.blobs(0..<5000))
        index.insert(pack: Self.id(2, 7), blobs: Self.blobs(5000..<9000))
        for number in 9000..<9500 { #expect(index.claim(Self.id(number), .data)) }
        index.insert(pack: Self.id(3, 7), blobs: Self.blobs(9400..<9401))
        index.forget(claimedAndIn: [Self.id(1, 7), Self.id(99, 7)])
        #expect(index.count == 4001)
        #expect(Set(index.packs.keys) == [Self.id(2, 7), Self.id(3, 7)])
        #expect(!index.contains(Self.id(4999), .data) && index.contains(Self.id(5001), .data))
        #expect(!index.contains(Self.id(9001), .data))
        // All of it can be saved again, also in a pack of the name that was forgotten.
        #expect(index.claim(Self.id(4999), .data) && !index.claim(Self.id(5001), .data))
        index.insert(pack: Self.id(1, 7), blobs: Self.blobs(4999..<5000))
        #expect(index.location(of: Self.id(4999), .data)?.pack == Self.id(1, 7))
        #expect(index.packs.count == 3)
    }

    @Test func `a backup after a failed one on the same repository saves what the failed one did not`() throws {
        let failing = Flag()
        let fixture = try MemoryFixture { call in
            if failing.isSet, call.kind == .put, call.packNumber >= 1 || call.key.hasPrefix("index/") {
                throw ObjectStoreError(code: .unavailable, message: "It is out of reach.")
            }
        }
        let repository = try fixture.initialize()
        failing.set(true)
        let contents = (0..<40).map { SavingTests.blob($0) }
        let first = try BlobSaver(repository, cancellation: fixture.cancellation)
        let worker = try BlobSaver.Worker(first)
        do { for content in contents { _ = try worker.save(content, .data) } } catch {}
        let error = #expect(throws: ObjectStoreError.self) { try first.finish() }
        #expect(error?.code == .unavailable)
        #expect(repository.index.count == 0, "one pack was stored, and no index file tells of it")
        failing.set(false)
        let second = try BlobSaver(repository, cancellation: fixture.cancellation)
        let again = try BlobSaver.Worker(second)
        for content in contents { #expect(try again.save(content, .data).isNew) }
        try second.finish()
        let fresh = try fixture.open()
        #expect(fresh.index.count == 40)
        let loader = try BlobLoader(fresh)
        for content in contents { #expect(try loader.load(ObjectID(hashing: content), .data) == content) }
    }
}
