/// A small generator whose numbers depend on its seed only, so that a failing test fails again.
///
/// SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
package struct PseudoRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter seed: the same seed gives the same numbers on every machine.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// Bytes that no compressor makes smaller.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var position = 0
            while position < count {
                let word = next()
                withUnsafeBytes(of: word) { source in
                    let part = min(8, count - position)
                    UnsafeMutableRawBufferPointer(buffer).baseAddress.map { base in
                        (base + position).copyMemory(
                            from: source.baseAddress ?? UnsafeRawPointer(base), byteCount: part)
                    }
                }
                position += 8
            }
            initialized = count
        }
    }
}
