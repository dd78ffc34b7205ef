import ObjectStorage
import RepositoryFormat
import Synchronization

/// What is to be written, and from where.
struct RestorePlan: Sendable {
    let files: [RestoreFile]
    /// Sorted by pack and offset.
    let uses: [BlobUse]
    let packs: [ObjectID]
    let runs: [BlobRun]

    init(_ planner: RestorePlanner) {
        files = planner.files
        packs = planner.packs
        var uses = planner.uses
        uses.sort {
            ($0.pack, $0.blob.offset, $0.file, $0.fileOffset) < ($1.pack, $1.blob.offset, $1.file, $1.fileOffset)
        }
        self.uses = uses
        runs = BlobRun.runs(of: uses)
    }
}

/// A run whose bytes are at hand, or why they are not.
struct FetchedRun: Sendable {
    let run: BlobRun
    let bytes: Result<[UInt8], ObjectStoreError>
}

/// Hands out numbers to several threads, each once.
final class SharedPosition: Sendable {
    private let position = Atomic<Int>(0)

    /// The next number; nil when it would not be below `count`.
    func next(below count: Int) -> Int? {
        let number = position.add(1, ordering: .relaxed).oldValue
        return number < count ? number : nil
    }
}
