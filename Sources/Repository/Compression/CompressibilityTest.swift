/// Decides cheaply whether a blob is worth compressing.
///
/// Already compressed or encrypted data costs a full pass of zstd and saves nothing. Four samples are compressed at a
/// fast level; when together they shrink by less than 1/32 the blob is stored as it is.
package final class CompressibilityTest {
    private static let sampleByteCount = 4096
    private static let sampleCount = 4
    private let compressor = Compressor(level: 1)
    private var scratch = [UInt8](repeating: 0, count: Compressor.bound(sampleByteCount))

    package init() {}

    /// True for blobs that should be compressed; small ones always are.
    package func isWorthCompressing(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count >= 16 * Self.sampleByteCount else { return true }
        var total = 0
        let stride = (count - Self.sampleByteCount) / (Self.sampleCount - 1)
        for sample in 0..<Self.sampleCount {
            let start = sample * stride
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.sampleByteCount])
            total += scratch.withUnsafeMutableBytes { compressor.compress(part, into: $0) } ?? part.count
        }
        return total < Self.sampleCount * Self.sampleByteCount * 31 / 32
    }
}
