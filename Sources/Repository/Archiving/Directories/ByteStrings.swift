import Glibc

extension UnsafeRawBufferPointer {
    /// True when the bytes come before `other` in the order of trees: byte by byte, the shorter first.
    @inline(__always)
    func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        guard let base = baseAddress, let otherBase = other.baseAddress else { return count < other.count }
        let order = memcmp(base, otherBase, Swift.min(count, other.count))
        return order == 0 ? count < other.count : order < 0
    }
}

extension [UInt8] {
    /// Runs `body` with the bytes as a C string.
    func withTerminator<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        // Names have up to 255 bytes, and this runs for each entry: no memory is asked for.
        if count < 264 {
            return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 264) { space in
                guard let base = space.baseAddress else { preconditionFailure("An allocation has an address.") }
                withUnsafeBytes { bytes in
                    if let source = bytes.baseAddress { memcpy(base, source, bytes.count) }
                }
                base[count] = 0
                return try body(base)
            }
        }
        return try (self + [0]).withUnsafeBufferPointer { bytes in
            // Never nil: there is at least the terminator.
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}
