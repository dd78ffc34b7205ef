/// Cuts bytes where the Rabin fingerprint of the last 64 bytes ends in 20 zero bits; chunks have 512 KiB to 8 MiB.
///
/// The cuts are those of stock restic for the same polynomial (restic's design, "Backups and Deduplication"; package
/// github.com/restic/chunker), so that both deduplicate against each other.
///
/// Whether a cut may fall after byte i depends on bytes i-63 ... i only. Two things follow: the first 512 KiB of a
/// chunk need no look at all, and four stretches of the buffer are scanned at once, which hides the latency of the
/// table lookups.
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

    private let shift: UInt64
    // Safe: written in init, read only afterwards; freed by the only owner.
    nonisolated(unsafe) private let out: UnsafeMutablePointer<UInt64>
    nonisolated(unsafe) private let reduce: UnsafeMutablePointer<UInt64>

    /// - Parameter polynomial: the repository's own; degree 9 to 53, irreducible for good results.
    package init?(_ polynomial: Polynomial) {
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
    }

    deinit {
        out.deallocate()
        reduce.deallocate()
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
