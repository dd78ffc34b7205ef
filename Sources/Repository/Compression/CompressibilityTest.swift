/// Decides cheaply whether a blob is worth compressing, and how hard to look for matches in it.
///
/// Already compressed or encrypted data costs a full pass of zstd and saves nothing. Four samples are compressed at a
/// fast level; when together they shrink by less than 1/32 the blob is stored as it is.
package final class CompressibilityTest {
    /// What to do with a blob.
    package enum Verdict: Sendable, Hashable {
        /// Store it as it is.
        case incompressible
        /// Compress it.
        case compress(CompressionEffort)
    }

    private static let sampleByteCount = 4096
    private static let sampleCount = 4
    private let compressor = Compressor(level: 1)
    private var scratch = [UInt8](repeating: 0, count: Compressor.bound(sampleByteCount))

    package init() {}

    /// Looks at samples of the larger blobs; small ones are always compressed.
    package func verdict(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        let count = bytes.count
        guard count >= 16 * Self.sampleByteCount else { return .compress(.standard) }
        var total = 0
        let stride = (count - Self.sampleByteCount) / (Self.sampleCount - 1)
        for sample in 0..<Self.sampleCount {
            let start = sample * stride
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.sampleByteCount])
            total += scratch.withUnsafeMutableBytes { compressor.compress(part, into: $0) } ?? part.count
        }
        let sampled = Self.sampleCount * Self.sampleByteCount
        guard total < sampled * 31 / 32 else { return .incompressible }
        // libzstd has parameters of its own for less than 256 KiB.
        guard count > 256 << 10 else { return .compress(.standard) }
        return .compress(.large(sampledPercent: total * 100 / sampled))
    }
}
