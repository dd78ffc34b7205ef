import CFingerprint

/// Cuts bytes where the Rabin fingerprint of the last 64 bytes ends in 20 zero bits; chunks have 512 KiB to 8 MiB.
///
/// The cuts are those of stock restic for the same polynomial (restic's design, "Backups and Deduplication"; package
/// github.com/restic/chunker), so that both deduplicate against each other.
///
/// Whether a cut may fall after byte i depends on bytes i-63 ... i only. Two things follow: the first 512 KiB of a
/// chunk need no look at all, and several stretches of the buffer are scanned at once: 32 with vector instructions where
/// the processor has AVX2 (``CFingerprint``), else four, which hides the latency of the table lookups.
package final class Chunker: Sendable {
    /// No chunk but the last of a file is shorter.
    package static let minimumByteCount = 512 * 1024
    /// No chunk is longer.
    package static let maximumByteCount = 8 * 1024 * 1024
    /// The fingerprint covers this many bytes.
    package static let windowByteCount = 64

    private static let mask: UInt64 = (1 << 20) - 1
    private static let laneCount = 4
    /// Bytes that each lane scans before the lanes move on together; a cut in lane 0 wastes the work of the others.
    private static let laneByteCount = 8 * 1024
    /// The same of the vector lanes: not a multiple of 4096, so that they do not fight for the same lines of the cache.
    private static let vectorLaneByteCount = 4096 + 64
    /// Below this the 64 bytes with which each vector lane starts cost more than the lanes save.
    private static let shortestVectorLaneByteCount = 256

    private let shift: UInt64
    // Safe: written in init, read only afterwards; freed by the only owner.
    nonisolated(unsafe) private let out: UnsafeMutablePointer<UInt64>
    nonisolated(unsafe) private let reduce: UnsafeMutablePointer<UInt64>
    nonisolated(unsafe) private let vectorTables: UnsafeMutablePointer<cfingerprint_tables>?

    /// - Parameters:
    ///   - polynomial: the repository's own; degree 9 to 53, irreducible for good results.
    ///   - vectorized: use vector instructions where the processor has them; the cuts are the same without.
    package init?(_ polynomial: Polynomial, vectorized: Bool = true) {
        let degree = polynomial.degree
        guard (9...Polynomial.repositoryDegree).contains(degree) else { return nil }
        shift = UInt64(degree - 8)
        out = .allocate(capacity: 256)
        reduce = .allocate(capacity: 256)
        func appending(_ byte: UInt64, to hash: UInt64) -> UInt64 {
            Polynomial(bits: hash << 8 | byte).remainder(dividingBy: polynomial).bits
        }
        for byte in 0..<256 {
            // What a byte still contributes 63 bytes later; XOR takes it out of the fingerprint.
            var hash = appending(UInt64(byte), to: 0)
            for _ in 1..<Self.windowByteCount { hash = appending(0, to: hash) }
            out[byte] = hash
            // For the 8 bits that stand above the degree after a shift: their remainder, and the bits themselves so
            // that one XOR reduces and clears.
            let high = UInt64(byte) << UInt64(degree)
            reduce[byte] = Polynomial(bits: high).remainder(dividingBy: polynomial).bits | high
        }
        guard vectorized, degree == Polynomial.repositoryDegree, cfingerprint_is_available() != 0 else {
            vectorTables = nil
            return
        }
        let (reduce, out) = (reduce, out)
        let tables = UnsafeMutablePointer<cfingerprint_tables>.allocate(capacity: 1)
        tables.initialize(to: cfingerprint_tables())
        Self.fillPlanes(&tables.pointee.reduce) { reduce[$0] }
        Self.fillPlanes(&tables.pointee.out) { appending(0, to: out[$0]) }
        vectorTables = tables
    }

    /// Cuts a linear map of a byte to 56 bits into what each half of the byte contributes to each byte of the result.
    private static func fillPlanes<Planes>(_ planes: inout Planes, _ map: (Int) -> UInt64) {
        withUnsafeMutableBytes(of: &planes) { bytes in
            for plane in 0..<Int(CFINGERPRINT_PLANES) {
                for value in 0..<16 {
                    let position = plane * 32 + value
                    bytes[position] = UInt8(truncatingIfNeeded: map(value) >> UInt64(8 * plane))
                    bytes[position + 16] = UInt8(truncatingIfNeeded: map(value << 4) >> UInt64(8 * plane))
                }
            }
        }
    }

    deinit {
        out.deallocate()
        reduce.deallocate()
        vectorTables?.deallocate()
    }

    /// The length of the chunk that starts at the beginning of `bytes`, when a cut falls within them.
    ///
    /// - Parameters:
    ///   - bytes: from the start of the chunk on.
    ///   - position: how many of the bytes were looked at by an earlier call that found no cut; 0 at first.
    /// - Returns: 512 KiB to 8 MiB; nil when no cut falls within `bytes` (at the end of a file they are the last
    ///   chunk, otherwise call again with more).
    package func cut(in bytes: UnsafeRawBufferPointer, from position: Int = 0) -> Int? {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        let end = min(bytes.count, Self.maximumByteCount)
        // A cut after byte i makes a chunk of i + 1 bytes.
        var next = max(position, Self.minimumByteCount - 1)
        while next < end {
            if let vectorTables, let stride = Self.vectorStride(end - next) {
                let found = cfingerprint_find(vectorTables, base, next, stride)
                if found >= 0 { return found + 1 }
                next += Int(CFINGERPRINT_LANES) * stride
                continue
            }
            let stride = Self.laneByteCount
            if end - next >= Self.laneCount * stride {
                if let found = scanLanes(base, from: next, stride: stride) { return found + 1 }
                next += Self.laneCount * stride
            } else {
                if let found = scan(base, from: next, to: end) { return found + 1 }
                next = end
            }
        }
        return end == Self.maximumByteCount ? end : nil
    }

    /// How many bytes each vector lane takes of the `count` that are left; nil when there are too few.
    private static func vectorStride(_ count: Int) -> Int? {
        let stride = min(count / Int(CFINGERPRINT_LANES), vectorLaneByteCount) & ~31
        return stride >= shortestVectorLaneByteCount ? stride : nil
    }

    /// The fingerprint of the 63 bytes before `position`, ready to take in the byte at `position`.
    @inline(__always)
    private func fingerprint(_ base: UnsafePointer<UInt8>, before position: Int) -> UInt64 {
        var digest: UInt64 = 0
        for index in position - Self.windowByteCount + 1..<position { digest = append(digest, base[index]) }
        return digest
    }

    @inline(__always)
    private func append(_ digest: UInt64, _ byte: UInt8) -> UInt64 {
        (digest << 8 | UInt64(byte)) ^ reduce[Int(truncatingIfNeeded: digest >> shift)]
    }

    private func scan(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int? {
        var digest = fingerprint(base, before: start)
        for index in start..<end {
            digest = append(digest, base[index])
            if digest & Self.mask == 0 { return index }
            digest ^= out[Int(base[index - Self.windowByteCount + 1])]
        }
        return nil
    }

    private func scanLanes(_ base: UnsafePointer<UInt8>, from start: Int, stride: Int) -> Int? {
        let p0 = base + start
        let p1 = p0 + stride
        let p2 = p1 + stride
        let p3 = p2 + stride
        var d0 = fingerprint(base, before: start)
        var d1 = fingerprint(base, before: start + stride)
        var d2 = fingerprint(base, before: start + 2 * stride)
        var d3 = fingerprint(base, before: start + 3 * stride)
        let back = 1 - Self.windowByteCount
        var (h1, h2, h3) = (Int.max, Int.max, Int.max)
        var index = 0
        while index < stride {
            d0 = append(d0, p0[index])
            d1 = append(d1, p1[index])
            d2 = append(d2, p2[index])
            d3 = append(d3, p3[index])
            if d0 & Self.mask == 0 { return start + index }
            if d1 & Self.mask == 0, h1 == Int.max { h1 = index }
            if d2 & Self.mask == 0, h2 == Int.max { h2 = index }
            if d3 & Self.mask == 0, h3 == Int.max { h3 = index }
            d0 ^= out[Int(p0[index + back])]
            d1 ^= out[Int(p1[index + back])]
            d2 ^= out[Int(p2[index + back])]
            d3 ^= out[Int(p3[index + back])]
            index += 1
        }
        if h1 != Int.max { return start + stride + h1 }
        if h2 != Int.max { return start + 2 * stride + h2 }
        if h3 != Int.max { return start + 3 * stride + h3 }
        return nil
    }
}
