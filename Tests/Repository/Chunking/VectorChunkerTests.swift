import CFingerprint
import Chunking
import TestSupport
import Testing

/// The chunker with vector instructions against the one without, which has been proven against a naive one.
@Suite(.enabled(if: cfingerprint_is_available() != 0, "This processor has no AVX2."))
struct VectorChunkerTests {
    let scalar: Chunker
    let vector: Chunker

    init() throws {
        scalar = try #require(Chunker(PolynomialTests.known, vectorized: false))
        vector = try #require(Chunker(PolynomialTests.known))
    }

    private func cut(_ chunker: Chunker, _ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { chunker.cut(in: $0) }
    }

    @Test func `random bytes are cut alike`() {
        var random = PseudoRandom(seed: 11)
        let bytes = random.bytes(24_000_000)
        let expected = scalar.chunks(bytes)
        #expect(vector.chunks(bytes) == expected)
        #expect(expected.count > 10)
    }

    @Test func `a cut is found at both ends of every lane, and the first of two counts`() {
        let naive = ChunkerTests.naive
        let window = naive.cuttingWindow([UInt8](repeating: 0xAB, count: 61))
        let (lanes, lane) = (Int(CFINGERPRINT_LANES), 4160)
        let first = Chunker.minimumByteCount - 1
        var bytes = [UInt8](repeating: 0xAB, count: first + lanes * lane + 70_000)
        func plant(_ position: Int) { bytes.replaceSubrange(position - 63...position, with: window) }
        func restore(_ position: Int) {
            bytes.replaceSubrange(position - 63...position, with: repeatElement(0xAB, count: 64))
        }
        for number in 0..<lanes {
            for offset in [0, 1, 31, 32, 63, lane - 64, lane - 1] {
                let position = first + number * lane + offset
                let later = position + 200
                plant(position)
                plant(later)
                #expect(cut(vector, bytes[...]) == position + 1, "lane \(number), offset \(offset)")
                restore(later)
                #expect(cut(vector, bytes[...(position + 1)]) == position + 1, "lane \(number), offset \(offset)")
                restore(position)
            }
        }
        #expect(cut(vector, bytes[...]) == nil)
    }

    @Test func `bytes that come in pieces of any size are cut alike`() {
        var random = PseudoRandom(seed: 12)
        let bytes = random.bytes(6_000_000)
        for round in 0..<6 {
            let step = [1000, 8192, 65_536, 131_072 + 64, 262_144, 524_288][round]
            var (looked, seen) = (0, Chunker.minimumByteCount)
            var found: Int?
            while found == nil, seen < bytes.count {
                seen = min(seen + step, bytes.count)
                found = bytes[0..<seen].withUnsafeBytes { vector.cut(in: $0, from: looked) }
                looked = seen
            }
            #expect(found == scalar.chunks(bytes).first, "step \(step)")
        }
    }
}
