import ObjectStorage
import RepositoryCrypto
import RepositoryFormat

/// Remembers the key of a repository for a while, so that not every command pays for scrypt.
///
/// What is kept is sealed under a key derived from the password: the right password must still be given. That derivation
/// is quicker than the key file's, so what keeps it must never be a file, and out of reach for everybody but this user
/// (docs/ThreatModel.md).
///
/// Layout of what is kept: a byte 1, a salt of 32 bytes, and sealed (``Sealer``) the id of the key file and the 64 bytes
/// of the ``SealingKey``.
package struct KeyCache: Sendable {
    private static let version: UInt8 = 1
    private static let saltByteCount = 32
    /// 2 MiB and about 5 ms; scrypt, so that it still costs memory to guess.
    private static let derivation = KeyDerivation(cost: 1 << 11, blockSize: 8, parallelism: 1)

    private let keeper: any SecretKeeper

    /// - Parameter keeper: the kernel's keyring outside tests.
    package init(_ keeper: any SecretKeeper = KernelKeyring()) { self.keeper = keeper }

    /// Names the repository before it is open: its config is sealed and never written again.
    private func name(_ sealedConfig: [UInt8]) -> String { "key:" + ObjectID(hashing: sealedConfig).hexadecimal }

    /// The key that was remembered for this password.
    ///
    /// - Parameter listed: the key files that there are: one that was removed opens nothing any more.
    func key(_ sealedConfig: [UInt8], password: [UInt8], listed: [ObjectID]) -> (ObjectID, SealingKey)? {
        let name = name(sealedConfig)
        guard let kept = keeper.secret(named: name), kept.first == Self.version, kept.count > 1 + Self.saltByteCount
        else { return nil }
        let salt = Array(kept[1...Self.saltByteCount])
        // Another password, or another user's payload: as if nothing had been kept.
        guard let wrapping = wrappingKey(password, salt, sealedConfig),
            let plain = try? Sealer(wrapping).open(Array(kept[(1 + Self.saltByteCount)...])),
            plain.count == 96, let keyID = ObjectID(Array(plain[0..<32])),
            let key = SealingKey(derived: Array(plain[32...]))
        else { return nil }
        guard listed.contains(keyID), (try? Sealer(key).open(sealedConfig)) != nil else {
            keeper.forget(name)
            return nil
        }
        keeper.prolong(name)
        return (keyID, key)
    }

    /// Remembers the key that the password opened. A failure only costs time later.
    func remember(_ keyID: ObjectID, _ key: SealingKey, _ sealedConfig: [UInt8], password: [UInt8]) {
        guard let salt = try? randomBytes(Self.saltByteCount),
            let wrapping = wrappingKey(password, salt, sealedConfig),
            let sealed = try? Sealer(wrapping).seal(keyID.bytes + key.encryption + key.macK + key.macR)
        else { return }
        keeper.keep([Self.version] + salt + sealed, named: name(sealedConfig))
    }

    /// Forgets what is remembered of a repository.
    func forget(_ sealedConfig: [UInt8]) { keeper.forget(name(sealedConfig)) }

    private func wrappingKey(_ password: [UInt8], _ salt: [UInt8], _ sealedConfig: [UInt8]) -> SealingKey? {
        // With the repository in the salt, what was kept for one cannot be passed off as another's.
        try? Self.derivation.derive(password: password, salt: salt + ObjectID(hashing: sealedConfig).bytes)
    }
}
