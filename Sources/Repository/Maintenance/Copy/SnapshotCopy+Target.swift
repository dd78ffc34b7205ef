import Chunking
package import ObjectStorage
package import Repository
package import RepositoryCrypto
package import RepositoryFormat

extension SnapshotCopy {
    /// Makes an empty repository that cuts files as another does, so that what is copied there from it and what is
    /// backed up there share their chunks.
    ///
    /// - Parameter derivation: what opening with the password costs; lower it for tests only.
    /// - Throws: ``RepositoryError/Code/exists``; ``RepositoryError/Code/damaged`` for a polynomial that is none;
    ///   errors of the store.
    @discardableResult
    package static func makeTarget(
        _ store: any ObjectStore, password: [UInt8], identity: Identity, now: Timestamp, like model: OpenRepository,
        derivation: KeyDerivation = .standard
    ) throws -> OpenRepository {
        try OpenRepository.initialize(
            store, password: password, identity: identity, now: now, derivation: derivation,
            polynomial: Polynomial(hexadecimal: model.config.chunkerPolynomial))
    }
}
