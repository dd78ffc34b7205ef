import Chunking
import TestSupport
import Testing

@Suite struct ChunkerTests {
    static let naive = NaiveRabin(0x3DA3_358B_4DC1_73)
    let chunker: Chunker

    init() throws { chunker = try #require(Chunker(PolynomialTests.known)) }

    /// Bytes that are never cut before the longest chunk ends, with cuts planted after some of them.
    private static func data(_ count: Int, cutsAfter positions: [Int]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAB, count: count)
        for position in positions {
            let window = naive.cuttingWindow([UInt8](repeating: 0xAB, count: 61))
            bytes.replaceSubrange(position - 63...position, with: window)
        }
        return bytes
    }

    @Test func `random bytes are cut where the naive chunker cuts`() {
        var random = PseudoRandom(seed: 3)
        let bytes = random.bytes(10_000_000)
        let expected = Self.naive.chunks(bytes)
        #expect(chunker.chunks(bytes) == expected)
        #expect(expected.count > 4)
        #expect(expected.reduce(0, +) == bytes.count)
    }

    @Test func `zeros are cut into the shortest chunks`() {
        // The fingerprint of zeros is zero: restic's own test chunks2 expects the same.
        let bytes = [UInt8](repeating: 0, count: 4 * Chunker.minimumByteCount)
        #expect(chunker.chunks(bytes) == Array(repeating: 524_288, count: 4))
    }

    @Test func `bytes without a cut make chunks of the greatest length`() {
        let bytes = Self.data(Chunker.maximumByteCount + 100_000, cutsAfter: [])
        #expect(chunker.chunks(bytes) == [8_388_608, 100_000])
        #expect(Self.naive.chunks(bytes) == [8_388_608, 100_000])
    }

    /// Offsets from the first byte that is looked at (number 524,287): four lanes of 8,192 bytes each are scanned at once.
    @Test(arguments: [
        0, 1, 63, 64, 4096, 8191, 8192, 8193, 12_000, 16_383, 16_384, 16_385, 24_575, 24_576, 24_577, 30_000, 32_767,
        32_768, 32_769, 65_535, 65_536, 90_000,
    ])
    func `a cut is found in every lane and at its borders`(offset: Int) {
        let position = Chunker.minimumByteCount - 1 + offset
        // Enough behind the cut for whole rounds of lanes, none, and less than a round.
        for tail in [40_000, 1, 9000] {
            let bytes = Self.data(position + tail, cutsAfter: [position])
            let cut = bytes.withUnsafeBytes { chunker.cut(in: $0) }
            #expect(cut == position + 1, "tail \(tail)")
        }
        let without = Self.data(position, cutsAfter: [])
        #expect(without.withUnsafeBytes { chunker.cut(in: $0) } == nil)
    }

    @Test(arguments: [
        [100, 8192 + 5], [8192 + 8000, 16_384 + 5], [8191, 8192], [16_384 + 8191, 24_576], [24_576 + 10, 32_768 + 1],
        [8192 + 100, 8192 + 300], [24_600, 24_700],
    ])
    func `of several cuts in one round of lanes the first counts`(offsets: [Int]) {
        let positions = offsets.map { Chunker.minimumByteCount - 1 + $0 }
        // Windows that overlap would spoil each other: the later one is planted first.
        var bytes = Self.data(700_000, cutsAfter: [])
        for position in positions.reversed() {
            let start = Array(bytes[position - 63..<position - 2])
            bytes.replaceSubrange(position - 63...position, with: Self.naive.cuttingWindow(start))
        }
        let expected = Self.naive.chunks(bytes)
        #expect(chunker.chunks(bytes) == expected)
        #expect(expected.first == positions[0] + 1)
    }

    @Test func `a cut at the very end of the longest chunk is that chunk`() {
        let bytes = Self.data(Chunker.maximumByteCount + 1, cutsAfter: [Chunker.maximumByteCount - 1])
        #expect(bytes.withUnsafeBytes { chunker.cut(in: $0) } == Chunker.maximumByteCount)
    }

    @Test func `a cut before the shortest chunk is none`() {
        for position in [63, 1000, Chunker.minimumByteCount - 2] {
            let bytes = Self.data(600_000, cutsAfter: [position])
            #expect(bytes.withUnsafeBytes { chunker.cut(in: $0) } == nil)
        }
    }

    @Test func `bytes fed in pieces are cut as if they came at once`() {
        var random = PseudoRandom(seed: 4)
        for round in 0..<8 {
            let position = Chunker.minimumByteCount - 1 + Int(random.next() % 80_000)
            let bytes = Self.data(position + 70_000, cutsAfter: [position])
            let whole = bytes.withUnsafeBytes { chunker.cut(in: $0) }
            let step = [1, 7, 63, 64, 65, 8192, 40_000, 524_288][round]
            var seen = max(0, Chunker.minimumByteCount - 3 * step)
            var looked = 0
            var cut: Int?
            bytes.withUnsafeBytes { bytes in
                // Single bytes only around the interesting place.
                if step < 64 { seen = max(seen, position - 200) }
                while cut == nil, seen < bytes.count {
                    seen = min(seen + step, bytes.count)
                    cut = chunker.cut(in: UnsafeRawBufferPointer(rebasing: bytes[0..<seen]), from: looked)
                    looked = seen
                }
            }
            #expect(cut == whole, "step \(step)")
        }
    }

    @Test func `nothing and few bytes are not cut`() {
        #expect(chunker.cut(in: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
        for count in [1, 63, 64, 524_287] {
            let bytes = [UInt8](repeating: 0, count: count)
            #expect(bytes.withUnsafeBytes { chunker.cut(in: $0) } == nil)
        }
        #expect([UInt8](repeating: 0, count: 524_288).withUnsafeBytes { chunker.cut(in: $0) } == 524_288)
    }

    @Test func `another polynomial cuts elsewhere, as its naive chunker does`() throws {
        var random = PseudoRandom(seed: 5)
        let polynomial = Polynomial.randomIrreducible { random.next() }
        let bytes = random.bytes(3_000_000)
        let cuts = try #require(Chunker(polynomial)).chunks(bytes)
        #expect(cuts == NaiveRabin(polynomial.bits).chunks(bytes))
        #expect(cuts != chunker.chunks(bytes))
    }
}
