import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat

/// Reads packs and proves each blob in them. One instance belongs to one thread.
final class PackProof {
    /// What became of one pack.
    struct Outcome {
        var byteCount = 0
        /// Nil when the pack cannot be read at all.
        var blobCount: Int?
        /// What is wrong with the pack as a whole, clauses.
        var problems: [String] = []
        /// Blobs whose copy in the pack is not what it was.
        var damaged: [PackedBlob] = []
        /// Blobs that are intact.
        var intact: [PackedBlob] = []
        /// Blobs that the index alone places in the pack, and that are not there.
        var misplaced: [PackedBlob] = []
        /// How the pack's own header and the index contradict each other.
        var contradictions: [String] = []
    }

    private let repository: OpenRepository
    private let loader: BlobLoader
    private let hasher = SHA256Hasher()
    /// Whether intact blobs are collected.
    private let keepsIntact: Bool

    init(_ repository: OpenRepository, keepsIntact: Bool = false) throws {
        self.repository = repository
        self.keepsIntact = keepsIntact
        loader = try BlobLoader(repository)
    }

    /// Reads a pack as a whole and proves its name, its header and its blobs.
    ///
    /// - Parameters:
    ///   - size: its size in the store.
    ///   - indexed: how many blobs the index places in it.
    ///   - body: gets each intact blob; its content is valid within only.
    /// - Throws: errors of the store that say nothing about the pack; what `body` throws.
    func prove(
        _ id: ObjectID, size: Int64, indexed: Int,
        _ body: (PackedBlob, UnsafeRawBufferPointer) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        var outcome = Outcome()
        let bytes: [UInt8]
        do {
            // With its size known a pack comes into one buffer that fits.
            bytes = try repository.store.get(ObjectKind.pack.key(id), range: size > 0 ? 0..<size : nil)
        } catch {
            guard BlobLoader.isDamage(error) else { throw error }
            outcome.problems.append("it cannot be read: \(error)")
            outcome.damaged = repository.index.blobs(of: [id])[id] ?? []
            return outcome
        }
        outcome.byteCount = bytes.count
        try bytes.withUnsafeBytes { bytes in
            if ObjectID(hashing: bytes, with: hasher) != id {
                outcome.problems.append("its bytes do not match its name")
            }
            let (listed, wrong) = blobs(of: bytes, id, indexed: indexed, &outcome)
            outcome.blobCount = listed.count
            for blob in listed where try !isIntact(blob, id, bytes, body) { outcome.damaged.append(blob) }
            // What the index places wrongly it may place where a blob is; only opening it tells.
            for blob in wrong where try !isIntact(blob, id, bytes, body) { outcome.misplaced.append(blob) }
            if keepsIntact {
                let damaged = Set(outcome.damaged + outcome.misplaced)
                outcome.intact = (listed + wrong).filter { !damaged.contains($0) }
            }
        }
        return outcome
    }

    private func isIntact(
        _ blob: PackedBlob, _ pack: ObjectID, _ bytes: UnsafeRawBufferPointer,
        _ body: (PackedBlob, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        let (start, end) = (Int(blob.offset), Int(blob.offset) + Int(blob.length))
        guard end <= bytes.count else { return false }
        var failure: (any Error)?
        do {
            try loader.open(blob, pack: pack, sealed: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
                do { try body(blob, $0) } catch { failure = error }
            }
        } catch { return false }
        if let failure { throw failure }
        return true
    }

    /// The blobs by the pack's own header, compared with the index; by the index alone when the header is damaged.
    private func blobs(
        of bytes: UnsafeRawBufferPointer, _ id: ObjectID, indexed: Int, _ outcome: inout Outcome
    ) -> (listed: [PackedBlob], wrong: [PackedBlob]) {
        let header: [PackedBlob]
        do { header = try loader.header(of: bytes) } catch {
            outcome.problems.append("its header is damaged")
            return (repository.index.blobs(of: [id])[id] ?? [], [])
        }
        let matches = repository.index.countMatches(header, in: id)
        guard matches != header.count || matches != indexed else { return (header, []) }
        let listed = Set(header)
        let wrong = (repository.index.blobs(of: [id])[id] ?? []).filter { !listed.contains($0) }
        for blob in wrong.prefix(5) {
            outcome.contradictions.append(
                "The index places the blob \(blob.id.hexadecimal) in pack \(id.hexadecimal), whose header does not.")
        }
        if wrong.count > 5 {
            outcome.contradictions.append(
                "The index places \(wrong.count - 5) more blobs in pack \(id.hexadecimal), whose header does not.")
        }
        if matches < header.count {
            outcome.contradictions.append(
                "The index lacks \(header.count - matches) of the \(header.count) blobs of pack \(id.hexadecimal).")
        }
        return (header, wrong)
    }
}
