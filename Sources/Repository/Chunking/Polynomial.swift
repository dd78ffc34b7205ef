/// A polynomial over GF(2), bit i standing for x^i; degree at most 63.
///
/// The chunker of a repository uses an irreducible one of degree 53 (restic's design, "Backups and Deduplication").
package struct Polynomial: Sendable, Hashable {
    /// The degree of the polynomials that repositories use.
    package static let repositoryDegree = 53

    /// The coefficients.
    package let bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    /// - Parameter hexadecimal: as in a repository's config, e.g. `25b468838dcb75`.
    package init?(hexadecimal: String) {
        guard (1...16).contains(hexadecimal.utf8.count), let bits = UInt64(hexadecimal, radix: 16) else { return nil }
        self.bits = bits
    }

    /// As in a repository's config: lowercase, no leading zeros.
    package var hexadecimal: String { String(bits, radix: 16) }

    /// The highest power with a coefficient; -1 for the zero polynomial.
    package var degree: Int { 63 - bits.leadingZeroBitCount }

    /// The remainder of the division by `divisor`, which must not be zero.
    package func remainder(dividingBy divisor: Polynomial) -> Polynomial {
        precondition(divisor.bits != 0, "A polynomial cannot be divided by zero.")
        var rest = bits
        let degree = divisor.degree
        while 63 - rest.leadingZeroBitCount >= degree {
            rest ^= divisor.bits << UInt64(63 - rest.leadingZeroBitCount - degree)
        }
        return Polynomial(bits: rest)
    }

    /// `self * other mod modulus`, all of degree below 63.
    package func multiplied(by other: Polynomial, modulo modulus: Polynomial) -> Polynomial {
        var result: UInt64 = 0
        var factor = remainder(dividingBy: modulus).bits
        var rest = other.bits
        let top = UInt64(1) << UInt64(modulus.degree)
        while rest != 0 {
            if rest & 1 == 1 { result ^= factor }
            rest >>= 1
            factor <<= 1
            if factor & top != 0 { factor ^= modulus.bits }
        }
        return Polynomial(bits: result)
    }

    private static func greatestCommonDivisor(_ a: Polynomial, _ b: Polynomial) -> Polynomial {
        var (a, b) = (a, b)
        while b.bits != 0 { (a, b) = (b, a.remainder(dividingBy: b)) }
        return a
    }

    /// True when no polynomial of lower positive degree divides it: Ben-Or's test (M. Ben-Or, "Probabilistic
    /// algorithms in finite fields", 1981): gcd(x^(2^i) - x, f) = 1 for i = 1 ... deg/2.
    package var isIrreducible: Bool {
        guard degree > 0 else { return false }
        guard degree > 1 else { return true }
        var power = Polynomial(bits: 2)
        for _ in 1...degree / 2 {
            power = power.multiplied(by: power, modulo: self)
            let difference = Polynomial(bits: power.bits ^ 2)
            guard Self.greatestCommonDivisor(self, difference).degree == 0 else { return false }
        }
        return true
    }

    /// An irreducible polynomial of degree 53.
    ///
    /// - Parameter random: yields 64 random bits a call; about one candidate in 27 is irreducible.
    package static func randomIrreducible(_ random: () throws -> UInt64) rethrows -> Polynomial {
        while true {
            // Degree 53 exactly; an even constant term would be divisible by x.
            let bits = try random() & ((1 << UInt64(repositoryDegree + 1)) - 1)
            let candidate = Polynomial(bits: bits | 1 << UInt64(repositoryDegree) | 1)
            if candidate.isIrreducible { return candidate }
        }
    }
}
