import TestSupport
import Testing

@testable import RepositoryCrypto

@Suite struct SealerTests {
    /// Poly1305-AES: D. J. Bernstein, "The Poly1305-AES message-authentication code", 2005, appendix B.
    struct Vector: Sendable {
        let message, r, k, nonce, tag: String
    }
    static let vectors = [
        Vector(
            message: "f3f6", r: "851fc40c3467ac0be05cc20404f3f700", k: "ec074c835580741701425b623235add6",
            nonce: "fb447350c4e868c52ac3275cf9d4327e", tag: "f4c633c3044fc145f84f335cb81953de"),
        Vector(
            message: "", r: "a0f3080000f46400d0c7e9076c834403", k: "75deaa25c09f208e1dc4ce6b5cad3fbf",
            nonce: "61ee09218d29b0aaed7e154a2c5509cc", tag: "dd3fab2251f11ac759f0887129cc2ee7"),
        Vector(
            message: "663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136",
            r: "48443d0bb0d21109c89a100b5ce2c208", k: "6acb5f61a7176dd320c5c1eb2edcdc74",
            nonce: "ae212a55399729595dea458bc621ff0e", tag: "0ee1c16bb73f0f4fd19881753c01cdbe"),
        Vector(
            message: "ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0"
                + "990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9",
            r: "12976a08c4426d0ce8a82407c4f48207", k: "e1a5668a4d5b66a5f68cc5424ed5982d",
            nonce: "9ae831e743978d3a23527c7128149e3a", tag: "5154ad0d2cb26e01274fc51148491f1b"),
    ]

    @Test(arguments: vectors)
    func `messages are authenticated by Poly1305-AES`(vector: Vector) throws {
        let key = try #require(
            SealingKey(
                encryption: [UInt8](repeating: 7, count: 32), macK: [UInt8](hex: vector.k), macR: [UInt8](hex: vector.r)
            ))
        let sealed = [UInt8](hex: vector.nonce + vector.message + vector.tag)
        #expect(try Sealer(key).open(sealed).count == sealed.count - 32)
        var wrong = sealed
        wrong[sealed.count - 1] ^= 1
        #expect(throws: CryptoError.self) { try Sealer(key).open(wrong) }
    }

    @Test func `messages are encrypted by AES-256 in counter mode`() throws {
        // NIST SP 800-38A, F.5.5. With r = 0 the code is AES-128 of the nonce alone: F.5.1's first output block, which
        // has the same counter.
        let key = try #require(
            SealingKey(
                encryption: [UInt8](hex: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
                macK: [UInt8](hex: "2b7e151628aed2a6abf7158809cf4f3c"), macR: [UInt8](repeating: 0, count: 16)))
        let ciphertext =
            "601ec313775789a5b7a7f504bbf3d228" + "f443e3ca4d62b59aca84e990cacaf5c5"
            + "2b0930daa23de94ce87017ba2d84988d" + "dfc9c58db67aada613c2dd08457941a6"
        let sealed = [UInt8](hex: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + ciphertext + "ec8cdf7398607cb0f2d21675ea9ea1e4")
        #expect(
            try Sealer(key).open(sealed).hex == "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
    }

    @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 33, 1000, 100_000])
    func `what is sealed opens to the same bytes`(count: Int) throws {
        let sealer = try Sealer(SealingKey.random())
        var random = PseudoRandom(seed: UInt64(count))
        let plain = random.bytes(count)
        let sealed = try sealer.seal(plain)
        #expect(sealed.count == count + Sealer.overheadByteCount)
        #expect(try sealer.open(sealed) == plain)
        #expect(try sealer.seal(plain) != sealed, "each message has an IV of its own")
        #expect(throws: CryptoError.unauthenticated) { try Sealer(SealingKey.random()).open(sealed) }
    }

    @Test func `every flipped bit and every truncation of a message is refused`() throws {
        let sealer = try Sealer(SealingKey.random())
        let sealed = try sealer.seal(Array("a message of 33 bytes, just so...".utf8))
        for position in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[position] ^= 1 << UInt8(bit)
                #expect(throws: CryptoError.unauthenticated, "byte \(position) bit \(bit)") {
                    try sealer.open(changed)
                }
            }
        }
        Mutations.eachTruncation(of: sealed) { part in
            let error = #expect(throws: CryptoError.self) { try sealer.open(part) }
            #expect(error?.code == (part.count < 32 ? .truncated : .unauthenticated))
        }
        #expect(throws: CryptoError.unauthenticated) { try sealer.open(sealed + [0]) }
    }

    @Test func `a refused message leaves its output untouched`() throws {
        let sealer = try Sealer(SealingKey.random())
        var sealed = try sealer.seal([UInt8](repeating: 1, count: 64))
        sealed[20] ^= 1
        var output = [UInt8](repeating: 0xEE, count: 64)
        #expect(throws: CryptoError.self) {
            try output.withUnsafeMutableBytes { output in
                try sealed.withUnsafeBytes { try sealer.open($0, into: try #require(output.baseAddress)) }
            }
        }
        #expect(output == [UInt8](repeating: 0xEE, count: 64))
    }

    @Test func `keys have 32, 16 and 16 bytes`() {
        let (long, short) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 16))
        #expect(SealingKey(encryption: long, macK: short, macR: short) != nil)
        #expect(SealingKey(encryption: short, macK: short, macR: short) == nil)
        #expect(SealingKey(encryption: long, macK: long, macR: short) == nil)
        #expect(SealingKey(encryption: long, macK: short, macR: []) == nil)
        #expect(SealingKey(derived: [UInt8](repeating: 0, count: 63)) == nil)
    }
}
