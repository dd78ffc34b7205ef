import ObjectStorage
package import RepositoryCrypto
package import RepositoryFormat

extension OpenRepository {
    /// Removes the key that a person means; its password opens nothing from then on.
    ///
    /// The key in use stays, and so a repository never loses its last one. Hold an exclusive lock.
    ///
    /// - Parameter name: an id or its first digits.
    /// - Returns: the id of the removed key.
    /// - Throws: ``RepositoryError``: `notFound`, `ambiguous`, `keyInUse`; errors of the store.
    package func removeKey(named name: String) throws -> ObjectID {
        let ids = try ids(of: .key)
        let matches = ids.filter { !name.isEmpty && $0.hexadecimal.hasPrefix(name.lowercased()) }
        guard let id = matches.first else { throw RepositoryError.noKey(name) }
        guard matches.count == 1 else { throw RepositoryError.ambiguousKey(name, matches) }
        guard id != keyID else { throw RepositoryError.keyInUse(id) }
        // The key in use may have been removed by somebody who takes no locks; then this one is the last.
        guard ids.contains(keyID) else { throw RepositoryError.lastKey(id) }
        try store.delete(ObjectKind.key.key(id))
        return id
    }

    /// Replaces the key in use by one for a new password: stores the new one, proves that it opens the repository, and
    /// only then removes the old one. Whenever this ends early, at least one of the two passwords works. Hold an
    /// exclusive lock.
    ///
    /// - Returns: the id of the new key.
    /// - Throws: ``RepositoryError/Code/damaged`` when the new key cannot be read back; errors of the store.
    package func changePassword(
        to password: [UInt8], identity: Identity, now: Timestamp, derivation: KeyDerivation = .standard
    ) throws -> ObjectID {
        let id = try addKey(password: password, identity: identity, now: now, derivation: derivation)
        try proveKey(id, opensWith: password)
        try store.delete(ObjectKind.key.key(keyID))
        return id
    }

    private func proveKey(_ id: ObjectID, opensWith password: [UInt8]) throws {
        do {
            let document = try KeyDocument(decoding: store.get(ObjectKind.key.key(id), range: nil))
            let derivation = KeyDerivation(
                cost: document.cost, blockSize: document.blockSize, parallelism: document.parallelism)
            let userKey = try derivation.derive(password: password, salt: document.salt)
            let master = try MasterKeyDocument(decoding: Sealer(userKey).open(document.data))
            guard SealingKey(encryption: master.encryption, macK: master.macK, macR: master.macR) == sealingKey else {
                throw FormatError("master key", "it is not the one of this repository")
            }
        } catch let error where !(error is ObjectStoreError) {
            throw RepositoryError.damaged("The new key \(id.hexadecimal)", cause: error)
        }
    }
}
