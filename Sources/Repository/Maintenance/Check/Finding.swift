package import RepositoryFormat

extension RepositoryCheck {
    /// One thing that is wrong, or worth knowing.
    package struct Finding: Sendable, Hashable {
        /// What kind of thing; the raw values are part of the output of `check --json`.
        package enum Kind: String, Sendable {
            case damagedKey = "damaged_key"
            case unreadableIndex = "unreadable_index"
            case missingPack = "missing_pack"
            case wrongPackSize = "wrong_pack_size"
            case damagedPack = "damaged_pack"
            case wrongIndex = "wrong_index"
            case unreadableSnapshot = "unreadable_snapshot"
            case damagedTree = "damaged_tree"
            case missingBlob = "missing_blob"
            case damagedEntry = "damaged_entry"
            case sizeMismatch = "size_mismatch"
            case unreferencedPacks = "unreferenced_packs"
            case repeatedPacks = "repeated_packs"
            case mixedPacks = "mixed_packs"
            case duplicateBlobs = "duplicate_blobs"
            case unusedBlobs = "unused_blobs"

            /// Errors mean that data is missing or damaged; the others are hints, which cost nothing but space.
            package var isError: Bool {
                switch self {
                case .sizeMismatch, .unreferencedPacks, .repeatedPacks, .mixedPacks, .duplicateBlobs, .unusedBlobs:
                    false
                default: true
                }
            }
        }

        /// What kind of thing it is.
        package let kind: Kind
        /// One sentence that names the object.
        package let statement: String
        /// The pack, index, snapshot, tree or blob; nil when the finding is about many.
        package var object: ObjectID?
        /// Blobs that are lost by this: no intact copy of them is known.
        package var lostBlobs: [ObjectID] = []
        /// Who needs what is damaged; empty for hints, and for damage that costs nobody anything.
        package var concern = Concern()

        /// Errors mean that data is missing or damaged; hints cost nothing but space.
        package var isError: Bool { kind.isError }

        /// The sentence, and who is concerned: what people read.
        package var message: String {
            statement + concern.sentence(kind == .damagedEntry || kind == .sizeMismatch ? "It is" : "Needed by")
        }

        init(_ kind: Kind, _ statement: String, object: ObjectID? = nil, lostBlobs: [ObjectID] = []) {
            self.kind = kind
            self.statement = statement
            self.object = object
            self.lostBlobs = lostBlobs
        }
    }

    /// The entries and snapshots that need something.
    package struct Concern: Sendable, Hashable {
        /// No more paths than these are kept.
        static let pathLimit = 1000
        private static let shownPathCount = 5
        private static let shownSnapshotCount = 3

        /// Absolute within the snapshots, UTF-8 with replacements; each once, at most ``pathLimit``.
        package private(set) var paths: [String] = []
        /// True when there are more than were kept.
        package private(set) var hasMorePaths = false
        /// All of them, in the order of the snapshots.
        package private(set) var snapshots: [ObjectID] = []
        private var known: Set<String> = []

        mutating func add(_ path: String, of snapshot: ObjectID) {
            if snapshots.last != snapshot { snapshots.append(snapshot) }
            guard !known.contains(path) else { return }
            guard paths.count < Self.pathLimit else {
                hasMorePaths = true
                return
            }
            known.insert(path)
            paths.append(path)
        }

        mutating func addMorePaths() { hasMorePaths = true }

        /// " Needed by …", or nothing.
        func sentence(_ beginning: String) -> String {
            guard !paths.isEmpty else { return "" }
            var text = " \(beginning) " + paths.prefix(Self.shownPathCount).joined(separator: ", ")
            if paths.count > Self.shownPathCount {
                text += " and \(hasMorePaths ? "more than " : "")\(paths.count - Self.shownPathCount) more"
            }
            let names = snapshots.prefix(Self.shownSnapshotCount).map(\.short).joined(separator: ", ")
            if snapshots.count == 1 { return text + " of snapshot \(names)." }
            if snapshots.count <= Self.shownSnapshotCount { return text + " of snapshots \(names)." }
            return text + " of \(snapshots.count) snapshots (\(names) …)."
        }
    }
}
