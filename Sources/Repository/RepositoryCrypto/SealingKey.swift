import CLibcrypto

/// The three keys that seal everything in a repository: restic's design, section "Keys, Encryption and MAC".
package struct SealingKey: Sendable, Equatable {
    /// 32 bytes for AES-256 in counter mode.
    package let encryption: [UInt8]
    /// 16 bytes (`k`) for the AES of Poly1305-AES.
    package let macK: [UInt8]
    /// 16 bytes (`r`) for Poly1305, masked by the algorithm itself.
    package let macR: [UInt8]

    /// - Returns: nil unless the lengths are 32, 16 and 16.
    package init?(encryption: [UInt8], macK: [UInt8], macR: [UInt8]) {
        guard encryption.count == 32, macK.count == 16, macR.count == 16 else { return nil }
        self.encryption = encryption
        self.macK = macK
        self.macR = macR
    }

    /// - Parameter bytes: 64 bytes: encryption key, `k`, `r`, as scrypt yields them.
    package init?(derived bytes: [UInt8]) {
        guard bytes.count == 64 else { return nil }
        self.init(encryption: Array(bytes[0..<32]), macK: Array(bytes[32..<48]), macR: Array(bytes[48..<64]))
    }

    /// A new key from the system's generator of random bytes.
    ///
    /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no randomness.
    package static func random() throws(CryptoError) -> SealingKey {
        guard let key = SealingKey(derived: try randomBytes(64)) else { throw .library("RAND_bytes") }
        return key
    }
}

/// Bytes from libcrypto's random generator.
///
/// - Throws: ``CryptoError/Code/libraryFailure`` when there is no randomness.
package func randomBytes(_ count: Int) throws(CryptoError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(clamping: count)) == 1 else { throw .library("RAND_bytes") }
    return bytes
}

/// Parameters of scrypt (RFC 7914).
package struct KeyDerivation: Sendable, Equatable {
    /// Cost: a power of two above 1.
    package var cost: UInt64
    /// Block size `r`.
    package var blockSize: UInt64
    /// Parallelism `p`.
    package var parallelism: UInt64

    package init(cost: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.cost = cost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// What stock restic 0.14 chose on a 2026 server for half a second of work: N = 2^15, r = 8, p = 6.
    package static let standard = KeyDerivation(cost: 1 << 15, blockSize: 8, parallelism: 6)

    /// The most memory a key file may ask for: 128 * N * r bytes, 1 GiB; bounds what a hostile repository can cost.
    package static let maximumMemoryByteCount: UInt64 = 1 << 30

    /// The most work a key file may ask for: N * r * p, about 85 times what ``standard`` asks for. Without it a key of
    /// 200 bytes could keep the one who opens it busy for hours.
    package static let maximumWork: UInt64 = 1 << 27

    /// True for parameters within RFC 7914, section 2, and the bounds on memory and work.
    package var isAllowed: Bool {
        cost > 1 && cost & (cost - 1) == 0 && cost <= 1 << 24 && (1...64).contains(blockSize)
            && (1...1024).contains(parallelism) && 128 * cost * blockSize <= Self.maximumMemoryByteCount
            && cost * blockSize * parallelism <= Self.maximumWork
    }

    /// Derives the 64 bytes of a ``SealingKey`` from a password.
    ///
    /// - Throws: ``CryptoError/Code/badParameters`` for parameters that are not allowed.
    package func derive(password: [UInt8], salt: [UInt8]) throws(CryptoError) -> SealingKey {
        guard isAllowed else { throw .badParameters }
        var output = [UInt8](repeating: 0, count: 64)
        let result = password.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count, cost,
                blockSize, parallelism, Self.maximumMemoryByteCount * 2, &output, output.count)
        }
        guard result == 1, let key = SealingKey(derived: output) else { throw .badParameters }
        return key
    }
}
