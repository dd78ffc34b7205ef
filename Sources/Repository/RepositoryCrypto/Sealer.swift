import CLibcrypto

/// Seals and opens messages: `IV (16 bytes) || ciphertext || MAC (16 bytes)`, AES-256-CTR and Poly1305-AES.
///
/// The layout is restic's (design, "Keys, Encryption and MAC"). The cipher contexts are set up once and reused; one
/// instance belongs to one thread.
package final class Sealer {
    /// A sealed message is this many bytes longer than its plaintext.
    package static let overheadByteCount = 32

    private let cipher: OpaquePointer
    private let nonceCipher: OpaquePointer
    private let mac: OpaquePointer
    private let macContext: OpaquePointer
    private var macKey: [UInt8]

    /// - Throws: ``CryptoError/Code/libraryFailure`` when libcrypto lacks an algorithm or memory.
    package init(_ key: SealingKey) throws(CryptoError) {
        guard let cipher = EVP_CIPHER_CTX_new(), let nonceCipher = EVP_CIPHER_CTX_new(),
            EVP_EncryptInit_ex(cipher, EVP_aes_256_ctr(), nil, key.encryption, nil) == 1,
            EVP_EncryptInit_ex(nonceCipher, EVP_aes_128_ecb(), nil, key.macK, nil) == 1,
            EVP_CIPHER_CTX_set_padding(nonceCipher, 0) == 1
        else { throw .library("EVP_EncryptInit_ex") }
        guard let mac = EVP_MAC_fetch(nil, "POLY1305", nil), let macContext = EVP_MAC_CTX_new(mac) else {
            throw .library("EVP_MAC_fetch")
        }
        self.cipher = cipher
        self.nonceCipher = nonceCipher
        self.mac = mac
        self.macContext = macContext
        macKey = key.macR + [UInt8](repeating: 0, count: 16)
    }

    deinit {
        EVP_CIPHER_CTX_free(cipher)
        EVP_CIPHER_CTX_free(nonceCipher)
        EVP_MAC_CTX_free(macContext)
        EVP_MAC_free(mac)
    }

    /// Seals `plaintext` into `output`, which must have room for `plaintext.count + 32` bytes and may not overlap it.
    ///
    /// - Throws: ``CryptoError/Code/libraryFailure``.
    package func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
        let iv = output.assumingMemoryBound(to: UInt8.self)
        guard RAND_bytes(iv, 16) == 1 else { throw .library("RAND_bytes") }
        try applyKeyStream(plaintext, iv: iv, into: iv + 16)
        try authenticate(
            UnsafeRawBufferPointer(start: iv + 16, count: plaintext.count), iv: iv, into: iv + 16 + plaintext.count)
    }

    /// Opens `sealed` into `output`, which must have room for `sealed.count - 32` bytes and may not overlap it.
    ///
    /// - Throws: ``CryptoError/Code/truncated``, ``CryptoError/Code/unauthenticated``; then nothing was written.
    package func open(_ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
        guard sealed.count >= Self.overheadByteCount, let base = sealed.baseAddress else {
            throw .truncated(sealed.count)
        }
        let iv = base.assumingMemoryBound(to: UInt8.self)
        let ciphertext = UnsafeRawBufferPointer(start: base + 16, count: sealed.count - Self.overheadByteCount)
        var expected: (UInt64, UInt64) = (0, 0)
        try withUnsafeMutableBytes(of: &expected) { (bytes) throws(CryptoError) in
            guard let start = bytes.baseAddress else { return }
            try authenticate(ciphertext, iv: iv, into: start.assumingMemoryBound(to: UInt8.self))
        }
        let tag = base + 16 + ciphertext.count
        let found = (tag.loadUnaligned(as: UInt64.self), tag.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        // One comparison of all 128 bits: the time does not tell which byte differs.
        guard (expected.0 ^ found.0) | (expected.1 ^ found.1) == 0 else { throw .unauthenticated }
        try applyKeyStream(ciphertext, iv: iv, into: output.assumingMemoryBound(to: UInt8.self))
    }

    /// Seals a message that is at hand as an array.
    ///
    /// - Throws: ``CryptoError``.
    package func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plaintext.count + Self.overheadByteCount)
        try plaintext.withUnsafeBytes { plain in
            try output.withUnsafeMutableBytes { out in
                if let start = out.baseAddress { try seal(plain, into: start) }
            }
        }
        return output
    }

    /// Opens a message that is at hand as an array.
    ///
    /// - Throws: ``CryptoError``.
    package func open(_ sealed: [UInt8]) throws -> [UInt8] {
        guard sealed.count >= Self.overheadByteCount else { throw CryptoError.truncated(sealed.count) }
        // One spare byte, so that an empty message has an address.
        var output = [UInt8](repeating: 0, count: sealed.count - Self.overheadByteCount + 1)
        try sealed.withUnsafeBytes { bytes in
            try output.withUnsafeMutableBytes { out in
                if let start = out.baseAddress { try open(bytes, into: start) }
            }
        }
        output.removeLast()
        return output
    }

    private func applyKeyStream(
        _ input: UnsafeRawBufferPointer, iv: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>
    ) throws(CryptoError) {
        guard EVP_EncryptInit_ex(cipher, nil, nil, nil, iv) == 1 else { throw .library("EVP_EncryptInit_ex") }
        var position = 0
        // EVP_EncryptUpdate counts in Int32.
        while position < input.count {
            let part = min(input.count - position, 1 << 30)
            var written: Int32 = 0
            guard
                EVP_EncryptUpdate(
                    cipher, output + position, &written,
                    input.baseAddress?.assumingMemoryBound(to: UInt8.self).advanced(by: position), Int32(part)) == 1
            else { throw .library("EVP_EncryptUpdate") }
            position += part
        }
    }

    /// Poly1305-AES: the one-time key is `r || AES(k, nonce)`.
    private func authenticate(
        _ ciphertext: UnsafeRawBufferPointer, iv: UnsafePointer<UInt8>, into tag: UnsafeMutablePointer<UInt8>
    ) throws(CryptoError) {
        var written: Int32 = 0
        let encrypted = macKey.withUnsafeMutableBufferPointer { key in
            EVP_EncryptUpdate(nonceCipher, key.baseAddress.map { $0 + 16 }, &written, iv, 16)
        }
        var tagByteCount = 0
        guard encrypted == 1, EVP_MAC_init(macContext, macKey, macKey.count, nil) == 1,
            EVP_MAC_update(
                macContext, ciphertext.baseAddress?.assumingMemoryBound(to: UInt8.self), ciphertext.count) == 1,
            EVP_MAC_final(macContext, tag, &tagByteCount, 16) == 1
        else { throw .library("EVP_MAC_final") }
    }
}
