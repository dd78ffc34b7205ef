package import RepositoryCrypto
package import RepositoryFormat

extension ObjectID {
    /// The SHA-256 of bytes at hand.
    package init(hashing bytes: [UInt8]) {
        let hasher = SHA256Hasher()
        self.init { digest in bytes.withUnsafeBytes { hasher.hash($0, into: digest) } }
    }

    /// The SHA-256 of `bytes`, by a hasher of the calling thread.
    package init(hashing bytes: UnsafeRawBufferPointer, with hasher: SHA256Hasher) {
        self.init { hasher.hash(bytes, into: $0) }
    }
}
