import Chunking
import TestSupport
import Testing

@Suite struct PolynomialTests {
    /// The polynomial of restic's own tests (package chunker, chunker_test.go).
    static let known = Polynomial(bits: 0x3DA3_358B_4DC1_73)

    @Test(
        arguments: [
            // x^3 + x + 1 and friends: irreducible polynomials over GF(2) of low degree.
            (0b10, true), (0b11, true), (0b111, true), (0b1011, true), (0b1101, true), (0b10011, true), (0b11001, true),
            (0b11111, true), (0x11B, true), (0x3DA3_358B_4DC1_73, true),
            // Products: x^2, x^2 + 1 = (x + 1)^2, x^4 + x^2 + 1 = (x^2 + x + 1)^2, (x^3 + x + 1)(x^3 + x^2 + 1).
            (0, false), (1, false), (0b100, false), (0b101, false), (0b110, false), (0b1001, false), (0b10101, false),
            (0b111_1111, false), (0x3DA3_358B_4DC1_72, false), (0x101, false),
        ] as [(UInt64, Bool)])
    func `irreducible polynomials are told from products`(bits: UInt64, isIrreducible: Bool) {
        #expect(Polynomial(bits: bits).isIrreducible == isIrreducible)
    }

    @Test func `the number of irreducible polynomials of each degree is the one of the theory`() {
        // Gauss's formula for GF(2); OEIS A001037.
        let expected = [2, 1, 2, 3, 6, 9, 18, 30, 56, 99]
        for degree in 1...10 {
            let all = (UInt64(1) << UInt64(degree))..<(UInt64(1) << UInt64(degree + 1))
            #expect(all.filter { Polynomial(bits: $0).isIrreducible }.count == expected[degree - 1])
        }
    }

    @Test func `remainders are those of long division`() {
        // x^8 + x^4 + x^3 + x + 1 is AES's: x^8 leaves 0x1B (FIPS 197, section 4.2), 0x57 * 0x83 = 0xC1.
        let aes = Polynomial(bits: 0x11B)
        #expect(Polynomial(bits: 0x100).remainder(dividingBy: aes).bits == 0x1B)
        #expect(Polynomial(bits: 0x57).multiplied(by: Polynomial(bits: 0x83), modulo: aes).bits == 0xC1)
        #expect(Polynomial(bits: 0x57).multiplied(by: Polynomial(bits: 0x13), modulo: aes).bits == 0xFE)
        #expect(Polynomial(bits: 0).remainder(dividingBy: aes).bits == 0)
        #expect(aes.remainder(dividingBy: aes).bits == 0)
        #expect(aes.remainder(dividingBy: Polynomial(bits: 1)).bits == 0)
        #expect(Polynomial(bits: .max).remainder(dividingBy: Polynomial(bits: 1 << 63)).bits == .max >> 1)
    }

    @Test func `multiplication distributes over addition`() {
        var random = PseudoRandom(seed: 1)
        for _ in 0..<200 {
            let (a, b, c) = (random.next() >> 12, random.next() >> 12, random.next() >> 12)
            func times(_ x: UInt64, _ y: UInt64) -> UInt64 {
                Polynomial(bits: x).multiplied(by: Polynomial(bits: y), modulo: Self.known).bits
            }
            #expect(times(a, b ^ c) == times(a, b) ^ times(a, c))
            #expect(times(a, b) == times(b, a))
            #expect(times(a, 1) == a)
        }
    }

    @Test func `random polynomials are irreducible and of degree 53`() {
        var random = PseudoRandom(seed: 2)
        var found: Set<Polynomial> = []
        for _ in 0..<5 {
            let polynomial = Polynomial.randomIrreducible { random.next() }
            #expect(polynomial.degree == 53)
            #expect(polynomial.isIrreducible)
            found.insert(polynomial)
        }
        #expect(found.count == 5)
    }

    @Test func `the hexadecimal form is that of a config`() {
        #expect(Polynomial(hexadecimal: "3da3358b4dc173") == Self.known)
        #expect(Self.known.hexadecimal == "3da3358b4dc173")
        for text in ["", "g", "-1", "12345678901234567", " 1", "0x1"] {
            #expect(Polynomial(hexadecimal: text) == nil, "\(text)")
        }
    }

    @Test func `a chunker refuses degrees that its tables cannot hold`() {
        #expect(Chunker(Polynomial(bits: 0)) == nil)
        #expect(Chunker(Polynomial(bits: 0xFF)) == nil)
        #expect(Chunker(Polynomial(bits: 1 << 54)) == nil)
        #expect(Chunker(Polynomial(bits: .max)) == nil)
        #expect(Chunker(Self.known) != nil)
    }
}
