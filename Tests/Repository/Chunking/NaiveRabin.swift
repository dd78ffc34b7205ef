import Chunking

/// The chunker as restic's design describes it, bit by bit and without any trick: the judge of ``Chunker``.
struct NaiveRabin {
    let polynomial: UInt64
    private let degree: Int
    private let out: [UInt64]

    init(_ polynomial: UInt64) {
        self.polynomial = polynomial
        let degree = 63 - polynomial.leadingZeroBitCount
        self.degree = degree
        // What a byte contributes when 63 others came after it.
        out = (0..<256).map { byte in
            var digest = Self.append(0, UInt64(byte), polynomial, degree)
            for _ in 0..<63 { digest = Self.append(digest, 0, polynomial, degree) }
            return digest
        }
    }

    /// `digest * x^8 + byte mod polynomial`, one division step a bit.
    static func append(_ digest: UInt64, _ byte: UInt64, _ polynomial: UInt64, _ degree: Int) -> UInt64 {
        let top = UInt64(1) << UInt64(degree)
        var digest = digest
        var bit = 8
        while bit > 0 {
            bit &-= 1
            digest = digest &<< 1 | (byte &>> UInt64(bit)) & 1
            if digest & top != 0 { digest ^= polynomial }
        }
        return digest
    }

    /// The fingerprint of all `bytes`.
    func fingerprint(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0) { Self.append($0, UInt64($1), polynomial, degree) }
    }

    /// 64 bytes after which a cut falls: the last three are chosen so that the fingerprint ends in 24 zero bits.
    func cuttingWindow(_ start: [UInt8]) -> [UInt8] {
        precondition(start.count == 61)
        let rest = fingerprint(start + [0, 0, 0])
        return start + [UInt8(rest >> 16 & 0xFF), UInt8(rest >> 8 & 0xFF), UInt8(rest & 0xFF)]
    }

    /// The lengths of all chunks of `bytes`, the last one included.
    func chunks(_ bytes: [UInt8]) -> [Int] {
        bytes.withUnsafeBufferPointer { bytes in
            var lengths: [Int] = []
            var length = 0
            var digest: UInt64 = 0
            var position = 0
            while position < bytes.count {
                digest = Self.append(digest, UInt64(bytes[position]), polynomial, degree)
                length += 1
                position += 1
                let isCut = length >= 512 * 1024 && digest & 0xFFFFF == 0
                if isCut || length == 8 * 1024 * 1024 {
                    lengths.append(length)
                    length = 0
                    digest = 0
                } else if length >= 64 {
                    digest ^= out[Int(bytes[position - 64])]
                }
            }
            if length > 0 { lengths.append(length) }
            return lengths
        }
    }
}

extension Chunker {
    /// The lengths of all chunks of `bytes`, each looked for in what is left as a whole.
    func chunks(_ bytes: [UInt8]) -> [Int] {
        bytes.withUnsafeBytes { bytes in
            var lengths: [Int] = []
            var start = 0
            while start < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
                let length = cut(in: rest) ?? rest.count
                lengths.append(length)
                start += length
            }
            return lengths
        }
    }
}
