import RepositoryCrypto
import TestSupport
import Testing

@Suite struct KeyDerivationTests {
    struct Vector: Sendable {
        let password, salt: String
        let cost, blockSize, parallelism: UInt64
        let output: String
    }

    /// RFC 7914, section 12; the fourth takes 1 GiB and is left out.
    static let vectors = [
        Vector(
            password: "", salt: "", cost: 16, blockSize: 1, parallelism: 1,
            output: "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
        Vector(
            password: "password", salt: "NaCl", cost: 1024, blockSize: 8, parallelism: 16,
            output: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
        Vector(
            password: "pleaseletmein", salt: "SodiumChloride", cost: 16384, blockSize: 8, parallelism: 1,
            output: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
    ]

    @Test(arguments: vectors)
    func `passwords become keys as in RFC 7914`(vector: Vector) throws {
        let derivation = KeyDerivation(
            cost: vector.cost, blockSize: vector.blockSize, parallelism: vector.parallelism)
        let key = try derivation.derive(password: Array(vector.password.utf8), salt: Array(vector.salt.utf8))
        #expect((key.encryption + key.macK + key.macR).hex == vector.output)
    }

    @Test(
        arguments: [
            (0, 8, 1), (1, 8, 1), (3, 8, 1), (1 << 25, 1, 1), (16, 0, 1), (16, 65, 1), (16, 8, 0), (16, 8, 1025),
            (1 << 24, 64, 1), (.max, .max, .max), (1 << 63, 1, 1),
            // Within all other bounds: 1 GiB of memory, 1,024 times over, would take an hour.
            (1 << 20, 8, 1024), (1 << 20, 8, 17),
        ] as [(UInt64, UInt64, UInt64)])
    func `hostile parameters are refused before they cost anything`(
        cost: UInt64, blockSize: UInt64, parallelism: UInt64
    ) {
        let derivation = KeyDerivation(cost: cost, blockSize: blockSize, parallelism: parallelism)
        let error = #expect(throws: CryptoError.self) { try derivation.derive(password: [1], salt: [2]) }
        #expect(error?.code == .badParameters)
    }

    @Test func `digests are those of FIPS 180-4`() {
        func digest(_ parts: [String]) -> String {
            let hasher = SHA256Hasher()
            var output = [UInt8](repeating: 0, count: 32)
            for part in parts { Array(part.utf8).withUnsafeBytes { hasher.update($0) } }
            output.withUnsafeMutableBytes { if let base = $0.baseAddress { hasher.finish(into: base) } }
            return output.hex
        }
        #expect(digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(digest(["abc"]) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digest(["a", "", "bc"]) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            digest(["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"])
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }
}
