import RepositoryFormat
import Synchronization

/// A file that is being written: its blobs come from several packs, in any order, by several threads.
final class RestoreFile: Sendable {
    /// A name in a directory.
    struct Place: Sendable {
        let directory: UInt32
        let name: [UInt8]
        /// Something else stands there: it is replaced when the new file is complete, and stays when it never is.
        let isTaken: Bool
    }

    /// How far it has come.
    enum Progress: Sendable { case planned, created, complete, failed }

    private struct State {
        var remaining: Int
        var progress = Progress.planned
        var otherPlaces: [Place] = []
    }

    let place: Place
    /// The name under which it is written: its own, or one beside what stands in its place.
    let workName: [UInt8]
    let attributes: EntryAttributes
    let size: UInt64
    let blobCount: Int
    private let state: Mutex<State>

    init(place: Place, workName: [UInt8], node: TreeNode, blobCount: Int) {
        self.place = place
        self.workName = workName
        attributes = EntryAttributes(node)
        size = node.size
        self.blobCount = blobCount
        state = Mutex(State(remaining: blobCount))
    }

    /// Runs `create` unless it was run before or the file has failed.
    ///
    /// - Returns: what `create` returned; nil when it was not run.
    func createOnce<Result>(_ create: () -> Result) -> Result? {
        state.withLock { state in
            guard state.progress == .planned else { return nil }
            state.progress = .created
            return create()
        }
    }

    /// Counts one blob down.
    ///
    /// - Returns: true for the last one of a file without failures: it can be finished.
    func finishBlob() -> Bool {
        state.withLock { state in
            state.remaining -= 1
            return state.remaining == 0 && state.progress == .created
        }
    }

    /// Notes that the file is in its place.
    func complete() { state.withLock { $0.progress = .complete } }

    /// Notes that the file cannot be completed.
    ///
    /// - Returns: what it was before: `failed` when that was known, `created` when there is something to remove.
    func fail() -> Progress {
        state.withLock { state in
            defer { state.progress = .failed }
            return state.progress
        }
    }

    /// Notes one more hard link to the file.
    ///
    /// - Returns: false when the file is complete or has failed.
    func add(_ place: Place) -> Bool {
        state.withLock { state in
            guard state.progress == .planned || state.progress == .created else { return false }
            state.otherPlaces.append(place)
            return true
        }
    }

    /// The further hard links.
    var otherPlaces: [Place] { state.withLock { $0.otherPlaces } }

    /// How far it has come.
    var progress: Progress { state.withLock { $0.progress } }
}

/// One place where a blob belongs.
struct BlobUse {
    /// Number of the pack in the plan.
    var pack: UInt32
    /// Number of the file in the plan.
    var file: UInt32
    var fileOffset: UInt64
    var blob: PackedBlob
}

/// Neighbouring blobs of one pack that are fetched at once.
struct BlobRun: Sendable {
    /// Unwanted bytes between two wanted blobs that are cheaper to read than to ask twice.
    private static let gapByteCount = 256 << 10
    /// The most that is asked for at once.
    private static let byteCount = 8 << 20

    /// Number of the pack in the plan.
    let pack: UInt32
    /// Positions in the sorted uses of the plan.
    let uses: Range<Int>
    /// Where in the pack.
    let range: Range<Int64>

    /// All runs of uses that are sorted by pack and offset.
    static func runs(of uses: [BlobUse]) -> [BlobRun] {
        var runs: [BlobRun] = []
        var position = 0
        while position < uses.count {
            let first = uses[position]
            let start = Int64(first.blob.offset)
            var end = start + Int64(first.blob.length)
            var last = position + 1
            while last < uses.count, uses[last].pack == first.pack {
                let blob = uses[last].blob
                let blobEnd = Int64(blob.offset) + Int64(blob.length)
                guard Int64(blob.offset) <= end + Int64(gapByteCount), blobEnd - start <= Int64(byteCount) else {
                    break
                }
                end = max(end, blobEnd)
                last += 1
            }
            runs.append(BlobRun(pack: first.pack, uses: position..<last, range: start..<end))
            position = last
        }
        return runs
    }
}
