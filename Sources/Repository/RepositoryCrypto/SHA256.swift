import CLibcrypto

/// SHA-256 (FIPS 180-4), by libcrypto, with a context that is reused. One instance belongs to one thread.
package final class SHA256Hasher {
    /// The size of a digest in bytes.
    package static let digestByteCount = 32

    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    /// Makes a hasher that has seen no bytes.
    package init() {
        // Fetching the algorithm once saves a lookup in each of millions of small hashes.
        guard let context = EVP_MD_CTX_new(), let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("libcrypto has no SHA-256 or no memory.")
        }
        self.context = context
        self.algorithm = algorithm
        reset()
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// Starts a new digest.
    package func reset() { EVP_DigestInit_ex2(context, algorithm, nil) }

    /// Adds bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// Writes the 32 bytes of the digest to `digest` and starts anew.
    package func finish(into digest: UnsafeMutableRawPointer) {
        EVP_DigestFinal_ex(context, digest.assumingMemoryBound(to: UInt8.self), nil)
        reset()
    }

    /// Writes the digest of `bytes` to the 32 bytes at `digest`.
    package func hash(_ bytes: UnsafeRawBufferPointer, into digest: UnsafeMutableRawPointer) {
        update(bytes)
        finish(into: digest)
    }
}
