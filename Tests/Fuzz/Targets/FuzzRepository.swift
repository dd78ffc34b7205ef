import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat

/// A repository in memory with a key that is known, so that fuzzed bytes can be sealed and reach what lies behind the
/// authentication: a repository written by a faulty or hostile program that has the key.
struct FuzzRepository: Sendable {
    let store: MemoryObjectStore
    let repository: OpenRepository
    private let key: SealingKey

    init() throws {
        store = MemoryObjectStore(spoolDirectory: "/nonexistent")
        guard let key = SealingKey(derived: Array(repeating: 7, count: 64)) else { throw FuzzFinding("no key") }
        self.key = key
        let derivation = KeyDerivation(cost: 2, blockSize: 1, parallelism: 1)
        let userKey = try derivation.derive(password: Array("fuzz".utf8), salt: [1])
        let master = try MasterKeyDocument(encryption: key.encryption, macK: key.macK, macR: key.macR).encoded()
        let document = try KeyDocument(
            created: Timestamp(seconds: 0), username: "", hostname: "", cost: derivation.cost,
            blockSize: derivation.blockSize, parallelism: derivation.parallelism, salt: [1],
            data: Sealer(userKey).seal(master)
        ).encoded()
        store.replace(ObjectKind.key.key(ObjectID(hashing: document)), with: document)
        let config = RepositoryConfig(
            version: 2, id: ObjectID(hashing: [1]).hexadecimal, chunkerPolynomial: "25b468838dcb75")
        store.replace(configKey, with: try Sealer(key).seal(config.encoded()))
        repository = try OpenRepository.open(store, password: Array("fuzz".utf8))
    }

    /// The bytes as they lie in the store.
    func seal(_ plaintext: [UInt8]) throws -> [UInt8] { try Sealer(key).seal(plaintext) }

    /// The one that all runs of a process share; nothing that a run puts there stays.
    static let shared = Result { try FuzzRepository() }
}
