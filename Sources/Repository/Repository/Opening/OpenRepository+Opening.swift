package import Chunking
package import ObjectStorage
package import RepositoryCrypto
package import RepositoryFormat

/// Who makes keys, locks and snapshots: names that end up in the repository.
package struct Identity: Sendable, Hashable {
    package var hostname: String
    package var username: String
    package var uid: UInt32
    package var gid: UInt32
    package init(hostname: String, username: String, uid: UInt32, gid: UInt32) {
        self.hostname = hostname
        self.username = username
        self.uid = uid
        self.gid = gid
    }
}

extension OpenRepository {
    /// Makes an empty repository of format version 2.
    ///
    /// - Parameters:
    ///   - derivation: what opening with the password costs; lower it for tests only.
    ///   - polynomial: the chunker's, e.g. that of a repository to copy from; a random one when nil.
    /// - Throws: ``RepositoryError/Code/exists`` when there is a config already; errors of the store.
    package static func initialize(
        _ store: any ObjectStore, password: [UInt8], identity: Identity, now: Timestamp,
        derivation: KeyDerivation = .standard, polynomial: Polynomial? = nil
    ) throws -> OpenRepository {
        do {
            _ = try store.size(of: configKey)
            throw RepositoryError.exists
        } catch let error as ObjectStoreError where error.code == .notFound {}
        // Keys without a config are what an interrupted init leaves, or a repository whose config was lost.
        guard try store.list(prefix: ObjectKind.key.prefix).isEmpty else {
            throw RepositoryError.keysWithoutConfig
        }
        let sealingKey = try SealingKey.random()
        let chosen =
            try polynomial
            ?? Polynomial.randomIrreducible {
                try randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
            }
        let id = try ObjectID(hashing: randomBytes(32))
        let config = RepositoryConfig(version: 2, id: id.hexadecimal, chunkerPolynomial: chosen.hexadecimal)
        let keyID = try addKey(
            sealingKey, to: store, password: password, identity: identity, now: now, derivation: derivation)
        let sealed = try Sealer(sealingKey).seal(config.encoded())
        do {
            try store.put(sealed, sha256: ObjectID(hashing: sealed).hexadecimal, as: configKey, ifAbsent: true)
        } catch let error as ObjectStoreError where error.code == .conflict {
            // Somebody else made one at the same moment; our key opens nothing.
            try store.delete(ObjectKind.key.key(keyID))
            throw RepositoryError.exists
        }
        return try OpenRepository(store: store, config: config, keyID: keyID, sealingKey: sealingKey)
    }

    /// Opens a repository: tries the password on each key until one opens.
    ///
    /// - Parameter keyCache: remembers the key, so that the next opening need not derive it; nil to pay each time.
    /// - Throws: ``RepositoryError``: `noRepository`, `wrongPassword`, `damaged`; errors of the store.
    package static func open(
        _ store: any ObjectStore, password: [UInt8], keyCache: KeyCache? = nil
    ) throws -> OpenRepository {
        let sealedConfig: [UInt8]
        do {
            sealedConfig = try store.get(configKey, range: nil)
        } catch let error as ObjectStoreError where error.code == .notFound {
            throw RepositoryError.noRepository(cause: error)
        }
        let ids = try store.list(prefix: ObjectKind.key.prefix).compactMap { ObjectKind.key.id(of: $0.key) }
        let remembered = keyCache?.key(sealedConfig, password: password, listed: ids)
        let (keyID, sealingKey) = try remembered ?? findKey(store, ids, password: password)
        let config: RepositoryConfig
        do {
            config = try RepositoryConfig(decoding: Sealer(sealingKey).open(sealedConfig))
        } catch {
            throw RepositoryError.damaged("The config of the repository", cause: error)
        }
        if remembered == nil { keyCache?.remember(keyID, sealingKey, sealedConfig, password: password) }
        return try OpenRepository(store: store, config: config, keyID: keyID, sealingKey: sealingKey)
    }

    private static func findKey(
        _ store: any ObjectStore, _ ids: [ObjectID], password: [UInt8]
    ) throws -> (ObjectID, SealingKey) {
        var damage: (any Error)?
        for id in ids {
            let bytes = try store.get(ObjectKind.key.key(id), range: nil)
            do {
                let document = try KeyDocument(decoding: bytes)
                let derivation = KeyDerivation(
                    cost: document.cost, blockSize: document.blockSize, parallelism: document.parallelism)
                let userKey = try derivation.derive(password: password, salt: document.salt)
                let master = try MasterKeyDocument(decoding: Sealer(userKey).open(document.data))
                guard let key = SealingKey(encryption: master.encryption, macK: master.macK, macR: master.macR) else {
                    throw FormatError("master key", "its parts have wrong lengths")
                }
                return (id, key)
            } catch let error as CryptoError where error.code == .unauthenticated {
                // A wrong password looks like a damaged key; a key is named by the hash of its bytes, which tells.
                if ObjectID(hashing: bytes) != id { damage = RepositoryError.damaged("The key \(id.hexadecimal)") }
            } catch {
                // A key that cannot be read must not hide one that can.
                damage = RepositoryError.damaged("The key \(id.hexadecimal)", cause: error)
            }
        }
        if let damage { throw damage }
        throw RepositoryError.wrongPassword(keyCount: ids.count)
    }

    /// Stores a key file for one more password.
    ///
    /// - Returns: its id, durable.
    @discardableResult
    package func addKey(
        password: [UInt8], identity: Identity, now: Timestamp, derivation: KeyDerivation = .standard
    ) throws -> ObjectID {
        try Self.addKey(sealingKey, to: store, password: password, identity: identity, now: now, derivation: derivation)
    }

    private static func addKey(
        _ key: SealingKey, to store: any ObjectStore, password: [UInt8], identity: Identity, now: Timestamp,
        derivation: KeyDerivation
    ) throws -> ObjectID {
        let salt = try randomBytes(64)
        let master = try MasterKeyDocument(encryption: key.encryption, macK: key.macK, macR: key.macR).encoded()
        let userKey = try derivation.derive(password: password, salt: salt)
        let document = KeyDocument(
            created: now, username: identity.username, hostname: identity.hostname, cost: derivation.cost,
            blockSize: derivation.blockSize, parallelism: derivation.parallelism, salt: salt,
            data: try Sealer(userKey).seal(master))
        let bytes = try document.encoded()
        let id = ObjectID(hashing: bytes)
        try store.put(bytes, sha256: id.hexadecimal, as: ObjectKind.key.key(id), ifAbsent: true)
        return id
    }

    /// All keys that can be read.
    package func keys() throws -> [(id: ObjectID, key: KeyDocument)] {
        try ids(of: .key).compactMap { id in
            // A damaged key opens nothing; the check of the repository tells of it.
            (try? KeyDocument(decoding: store.get(ObjectKind.key.key(id), range: nil))).map { (id, $0) }
        }
    }
}
