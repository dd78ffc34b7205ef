import ObjectStorage
import Repository
import RepositoryFormat
import Threads

extension RepositoryCheck {
    /// Finds key files whose bytes have changed: they are the one kind of object that is not sealed as a whole, so that
    /// only their names tell. One that still opens the repository is told as well.
    func readKeys(_ run: inout CheckRun) throws {
        for id in try repository.ids(of: .key).sorted() {
            try cancellation.check()
            let reason: String
            do {
                let bytes = try repository.store.get(ObjectKind.key.key(id), range: nil)
                guard ObjectID(hashing: bytes) != id else { continue }
                reason = "its bytes do not match its name"
            } catch let error as ObjectStoreError where error.code == .notFound {
                // Removed since it was listed.
                continue
            } catch {
                guard BlobLoader.isDamage(error) else { throw error }
                reason = Self.clause(error)
            }
            run.add(
                .damagedKey,
                "The key \(id.hexadecimal) is damaged: \(reason). While another key opens the repository nothing is lost: "
                    + "make a new one with 'stillpoint key add', then remove this one.", id)
        }
    }
}
