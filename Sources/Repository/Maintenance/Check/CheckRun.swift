import Repository
import RepositoryFormat

/// What a check has found so far.
struct CheckRun {
    /// Findings about single blobs; more than these become one.
    private static let singleBlobCount = 20

    var findings: [RepositoryCheck.Finding] = []
    var missingPacks: Set<ObjectID> = []
    /// Packs that are shorter than they should be, and their sizes.
    var cutPacks: [ObjectID: Int64] = [:]
    var unreferenced = (count: 0, byteCount: Int64(0))
    var packsRead = 0
    var bytesRead: UInt64 = 0
    /// Copies of blobs that are not what they were, and the findings that say so.
    private var badCopies: [BlobIndex.Location: Int] = [:]
    private var treeFindings: [ObjectID: Int] = [:]
    private var blobFindings: [ObjectID: Int] = [:]
    private var entryFindings: [ObjectID: [(name: [UInt8], finding: Int)]] = [:]

    /// True when something is wrong of which it can be said who needs it.
    var hasDamage: Bool {
        !badCopies.isEmpty || !treeFindings.isEmpty || !blobFindings.isEmpty || !entryFindings.isEmpty
    }

    var hasUnreadableSnapshots: Bool { findings.contains { $0.kind == .unreadableSnapshot } }

    @discardableResult
    mutating func add(_ kind: RepositoryCheck.Finding.Kind, _ statement: String, _ object: ObjectID? = nil) -> Int {
        findings.append(RepositoryCheck.Finding(kind, statement, object: object))
        return findings.count - 1
    }

    /// Notes the blobs of packs that are missing or cut.
    mutating func resolveMissing(in index: BlobIndex) {
        guard !missingPacks.isEmpty || !cutPacks.isEmpty else { return }
        let blobs = index.blobs(of: missingPacks.union(cutPacks.keys))
        for (number, finding) in findings.enumerated() {
            guard let pack = finding.object, finding.kind == .missingPack || finding.kind == .wrongPackSize else {
                continue
            }
            let size = cutPacks[pack] ?? 0
            for blob in blobs[pack] ?? []
            where missingPacks.contains(pack) || cutPacks[pack] != nil && Int64(blob.offset) + Int64(blob.length) > size
            {
                badCopies[BlobIndex.Location(pack: pack, blob: blob)] = number
            }
        }
    }

    /// Notes what reading a pack has shown.
    mutating func add(_ outcome: PackProof.Outcome, of pack: ObjectID) {
        for contradiction in outcome.contradictions {
            let number = add(.wrongIndex, contradiction, pack)
            for blob in outcome.misplaced where badCopies[BlobIndex.Location(pack: pack, blob: blob)] == nil {
                badCopies[BlobIndex.Location(pack: pack, blob: blob)] = number
            }
        }
        guard !outcome.problems.isEmpty || !outcome.damaged.isEmpty else { return }
        var problems = outcome.problems
        if let count = outcome.blobCount {
            let damaged = outcome.damaged
            if damaged.isEmpty {
                problems.append(count == 1 ? "its blob is intact" : "its \(count) blobs are intact")
            } else {
                let names = damaged.prefix(3).map { "\($0.kind.name) \($0.id.hexadecimal)" }.joined(separator: ", ")
                problems.append(
                    "\(damaged.count) of its \(count) blobs \(damaged.count == 1 ? "is" : "are") damaged (\(names)"
                        + (damaged.count > 3 ? " …)" : ")"))
            }
        }
        let statement = "The pack \(pack.hexadecimal) is damaged: \(problems.joined(separator: "; "))."
        let number = add(.damagedPack, statement, pack)
        for blob in outcome.damaged {
            let location = BlobIndex.Location(pack: pack, blob: blob)
            // A pack that is cut was told of already; reading it tells more.
            badCopies[location] = number
        }
    }

    /// Notes what reading the trees has shown.
    mutating func addTrees(_ trees: TreeSurvey.Outcome) {
        for (id, reason) in trees.badTrees.sorted(by: { $0.key < $1.key }) {
            treeFindings[id] = add(.damagedTree, reason, id)
        }
        let missing = trees.missingBlobs.sorted()
        if missing.count > Self.singleBlobCount {
            let names = missing.prefix(3).map(\.hexadecimal).joined(separator: ", ")
            let number = add(.missingBlob, "\(missing.count) data blobs are in no index (\(names) …).")
            findings[number].lostBlobs = missing
            for id in missing { blobFindings[id] = number }
        } else {
            for id in missing {
                blobFindings[id] = add(.missingBlob, RepositoryError.missingBlob(id, .data).statement, id)
                findings[findings.count - 1].lostBlobs = [id]
            }
        }
        for (tree, problems) in trees.entries.sorted(by: { $0.key < $1.key }) {
            for problem in problems {
                let name = String(decoding: problem.name, as: UTF8.self)
                let number = add(
                    problem.kind, "The entry '\(name)' of tree \(tree.hexadecimal) \(problem.problem).", tree)
                entryFindings[tree, default: []].append((problem.name, number))
            }
        }
    }

    /// Names the blobs that are lost because no copy of them is good, and lets the search look for who needs them.
    mutating func addLost(_ index: BlobIndex, to search: ConcernSearch) {
        search.blobs = blobFindings.mapValues { [$0] }
        for (location, number) in badCopies.sorted(by: { $0.key.blob.id < $1.key.blob.id }) {
            let (id, kind) = (location.blob.id, location.blob.kind)
            let isLost = index.locations(of: id, kind).allSatisfy { badCopies[$0] != nil }
            guard isLost else { continue }
            findings[number].lostBlobs.append(id)
            // A lost tree that snapshots need has a finding of its own, unless it was read from a pack held before.
            if kind == .data {
                if search.blobs[id]?.contains(number) != true { search.blobs[id, default: []].append(number) }
            } else if treeFindings[id] == nil {
                search.trees[id] = number
            }
        }
    }

    /// Lets the search look for the trees and entries that were found.
    func addTrees(to search: ConcernSearch) {
        search.trees.merge(treeFindings) { $1 }
        search.entries = entryFindings
    }
}
