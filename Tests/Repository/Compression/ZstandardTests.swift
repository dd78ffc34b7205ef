import Compression
import TestSupport
import Testing

@Suite struct ZstandardTests {
    /// A frame without content size, put together by hand (RFC 8878, section 3.1.1): blocks of one byte repeated.
    static func frame(repeating byte: UInt8, blockByteCount: Int, blockCount: Int) -> [UInt8] {
        // Magic number; no content size, no checksum; a window of 128 KiB.
        var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 7 << 3]
        for number in 0..<blockCount {
            let header = UInt32(blockByteCount) << 3 | 1 << 1 | (number == blockCount - 1 ? 1 : 0)
            frame += [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16), byte]
        }
        return frame
    }

    private func decompress(_ frame: [UInt8], maximum: Int = 1 << 30) throws -> [UInt8] {
        try frame.withUnsafeBytes { try Decompressor().decompress($0, maximumByteCount: maximum) }
    }

    private func decompress(_ frame: [UInt8], exactly count: Int) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        try output.withUnsafeMutableBytes { output in
            try frame.withUnsafeBytes { try Decompressor().decompress($0, into: output) }
        }
        return output
    }

    @Test(arguments: [0, 1, 100, 4096, 65_536, 1_000_000])
    func `what is compressed comes back`(count: Int) throws {
        var random = PseudoRandom(seed: UInt64(count))
        let noise = random.bytes(count)
        for content in [noise, noise.map { $0 & 3 }, [UInt8](repeating: 9, count: count)] {
            let frame = Compressor().compress(content)
            #expect(frame.count <= Compressor.bound(count))
            #expect(try decompress(frame) == content)
            #expect(try decompress(frame, exactly: count) == content)
        }
    }

    @Test func `one context compresses and decompresses many frames`() throws {
        let (compressor, decompressor) = (Compressor(), Decompressor())
        for count in [0, 1, 5000, 3, 100_000, 17] {
            let content = [UInt8](repeating: UInt8(count & 0xFF), count: count)
            let frame = compressor.compress(content)
            #expect(try frame.withUnsafeBytes { try decompressor.decompress($0, maximumByteCount: 100_000) } == content)
            // A damaged frame in between does not spoil the context.
            #expect(throws: CompressionError.self) {
                try [UInt8](frame.dropLast()).withUnsafeBytes {
                    try decompressor.decompress($0, maximumByteCount: 100_000)
                }
            }
        }
    }

    @Test func `too little room for a frame is told, not overrun`() {
        var random = PseudoRandom(seed: 6)
        let content = random.bytes(10_000)
        var output = [UInt8](repeating: 0, count: 5000)
        let size = output.withUnsafeMutableBytes { output in
            content.withUnsafeBytes { Compressor().compress($0, into: output) }
        }
        #expect(size == nil)
    }

    @Test func `content of another size than the index says is refused`() throws {
        let frame = Compressor().compress([UInt8](repeating: 5, count: 1000))
        for count in [0, 1, 999, 1001, 100_000] {
            #expect(throws: CompressionError.self) { try decompress(frame, exactly: count) }
        }
    }

    @Test func `a frame without content size is decompressed`() throws {
        let frame = Self.frame(repeating: 0x41, blockByteCount: 100_000, blockCount: 5)
        #expect(try decompress(frame) == [UInt8](repeating: 0x41, count: 500_000))
        #expect(try decompress(Self.frame(repeating: 0, blockByteCount: 0, blockCount: 1)) == [])
    }

    @Test func `bombs are refused at the bound, with and without content size`() throws {
        let declared = Compressor().compress([UInt8](repeating: 0, count: 2_000_000))
        #expect(declared.count < 1000)
        let limit = CompressionError.self
        #expect(throws: limit) { try decompress(declared, maximum: 1_999_999) }
        #expect(try decompress(declared, maximum: 2_000_000).count == 2_000_000)
        // 4 bytes for 128 KiB: 1.2 GiB from 40 KB.
        let bomb = Self.frame(repeating: 0, blockByteCount: 128 << 10, blockCount: 10_000)
        let error = #expect(throws: limit) { try decompress(bomb, maximum: 1_000_000) }
        #expect(error?.message == "zstd: the content is larger than the 1000000 bytes allowed here.")
    }

    @Test func `a declared size of exabytes is refused without asking for memory`() {
        // Single segment, content size of 8 bytes: all ones but the last two values, which mean something else.
        let frame: [UInt8] =
            [0x28, 0xB5, 0x2F, 0xFD, 0xE0] + [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] + [1, 0, 0]
        #expect(throws: CompressionError.self) { try decompress(frame) }
    }

    @Test func `every truncation of a frame is refused`() throws {
        let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for frame in [
            Compressor().compress(content), Self.frame(repeating: 7, blockByteCount: 1000, blockCount: 3),
        ] {
            Mutations.eachTruncation(of: frame) { part in
                #expect(throws: CompressionError.self, "\(part.count) of \(frame.count) bytes") { try decompress(part) }
            }
        }
    }

    /// Declared sizes of frames: 1 GiB in ten bytes, and all zeros that one block can hold.
    @Test func `a frame cannot ask for more memory than it can fill`() throws {
        // Magic number, single segment with a size of four bytes, an empty last block: RFC 8878, section 3.1.1.
        let lie: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 0x40, 1, 0, 0]
        let error = #expect(throws: CompressionError.self) { try decompress(lie, maximum: 1 << 30) }
        #expect(error?.message == "zstd: 12 bytes cannot hold the 1073741824 they declare.")
        // No size, a window of 2^26 and of 2^25 bytes (section 3.1.1.1.2), one block of a byte: the larger is refused.
        let window: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, (26 - 10) << 3, 0x0B, 0, 0, 7]
        #expect(throws: CompressionError.self) { try decompress(window) }
        #expect(try decompress(window.prefix(5) + [(25 - 10) << 3] + window.suffix(4)) == [7])
        let zeros = [UInt8](repeating: 0, count: 64 << 20)
        #expect(try decompress(Compressor().compress(zeros), maximum: 64 << 20) == zeros)
    }

    @Test func `no flipped byte of a frame traps`() {
        let frame = Compressor().compress((0..<2000).map { UInt8(truncatingIfNeeded: $0 / 5) })
        Mutations.eachFlippedByte(of: frame) { changed, _ in
            if let content = try? decompress(changed, maximum: 10_000) { #expect(content.count <= 10_000) }
        }
    }

    @Test func `noise is stored as it is, text and small blobs are compressed`() {
        let test = CompressibilityTest()
        var random = PseudoRandom(seed: 7)
        func isWorth(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { test.verdict($0) } != .incompressible }
        #expect(!isWorth(random.bytes(1_000_000)))
        #expect(!isWorth(random.bytes(65_536)))
        #expect(isWorth(random.bytes(65_535)), "a small blob is compressed without asking")
        #expect(isWorth(random.bytes(1_000_000).map { $0 & 0x0F }))
        #expect(isWorth([UInt8](repeating: 0, count: 1_000_000)))
        #expect(isWorth([]))
        // A zip with a long index: three noisy samples and one that shrinks are worth it.
        #expect(isWorth(random.bytes(700_000) + [UInt8](repeating: 0, count: 300_000)))
    }

    @Test func `large blobs are compressed with the effort that their samples ask for`() {
        let test = CompressibilityTest()
        var random = PseudoRandom(seed: 8)
        func verdict(_ bytes: [UInt8]) -> CompressibilityTest.Verdict { bytes.withUnsafeBytes { test.verdict($0) } }
        let zeros = [UInt8](repeating: 0, count: 300_000)
        #expect(verdict(zeros) == .compress(.large(sampledPercent: 1)))
        #expect(verdict(Array(zeros[..<262_144])) == .compress(.standard), "libzstd has its own for small ones")
        // Half of the bits of each byte are noise.
        let half = random.bytes(300_000).map { $0 & 0x0F }
        #expect(verdict(half) == .compress(.large(sampledPercent: 50)))
        for percent in [0, 25, 26, 43, 44, 48, 49, 60, 61, 96] {
            let compressor = Compressor()
            let effort = CompressionEffort.large(sampledPercent: percent)
            for content in [half, zeros, half] {
                var frame = [UInt8](repeating: 0, count: Compressor.bound(content.count))
                let count = content.withUnsafeBytes { content in
                    frame.withUnsafeMutableBytes { compressor.compress(content, into: $0, effort: effort) }
                }
                let expanded = try? decompress(Array(frame[..<(count ?? 0)]), maximum: 300_000)
                #expect(expanded == content)
            }
            // Afterwards the standard gives what a fresh compressor gives.
            #expect(compressor.compress(half) == Compressor().compress(half))
        }
    }
}
