import Repository
import RepositoryFormat
import Threads

/// Finds which entries of which snapshots need what is damaged. Only run when something is: it reads all trees again.
///
/// Bottom up and each tree once: what is below a tree is the same in every snapshot that has it.
final class ConcernSearch {
    /// An entry that needs something, and the number of the finding about that; paths are relative to a tree.
    private struct Hit: Hashable {
        var path: [UInt8]
        var finding: Int
    }

    private struct Hits {
        var list: [Hit] = []
        /// Findings of which hits were dropped to keep the list short.
        var cut: Set<Int> = []
    }

    private struct Frame {
        let id: ObjectID
        let directories: [(name: [UInt8], tree: ObjectID)]
        var next = 0
        var hits: Hits
    }

    private static let hitLimit = 4 * RepositoryCheck.Concern.pathLimit

    private let loader: BlobLoader
    private let cancellation: Cancellation
    /// Numbers of the findings about lost data blobs, about trees that cannot be read, and about entries of trees.
    var blobs: [ObjectID: [Int]] = [:]
    var trees: [ObjectID: Int] = [:]
    var entries: [ObjectID: [(name: [UInt8], finding: Int)]] = [:]
    private var known: [ObjectID: Hits] = [:]

    init(_ repository: OpenRepository, cancellation: Cancellation) throws {
        loader = try BlobLoader(repository)
        self.cancellation = cancellation
    }

    /// True when nothing was named that could be searched for.
    var isEmpty: Bool { blobs.isEmpty && trees.isEmpty && entries.isEmpty }

    /// Adds to each finding who is concerned by it.
    func run(_ snapshots: [OpenRepository.Snapshot], _ findings: inout [RepositoryCheck.Finding]) throws {
        for snapshot in snapshots {
            try search(snapshot.record.tree)
            guard let hits = known[snapshot.record.tree] else { continue }
            for hit in hits.list {
                let path = hit.path.isEmpty ? "/" : String(decoding: hit.path, as: UTF8.self)
                findings[hit.finding].concern.add(path, of: snapshot.id)
            }
            for finding in hits.cut { findings[finding].concern.addMorePaths() }
        }
    }

    /// Makes sure that a tree and all below it are known.
    private func search(_ root: ObjectID) throws {
        guard known[root] == nil else { return }
        var stack = [try open(root)]
        while var frame = stack.popLast() {
            try cancellation.check()
            if frame.next < frame.directories.count {
                let (name, tree) = frame.directories[frame.next]
                if let below = known[tree] {
                    Self.add(below, below: name, to: &frame.hits)
                    frame.next += 1
                    stack.append(frame)
                } else {
                    stack.append(frame)
                    // A tree within itself cannot be: its id is the hash of what it holds.
                    stack.append(try open(tree))
                }
            } else {
                known[frame.id] = frame.hits
            }
        }
    }

    private func open(_ id: ObjectID) throws -> Frame {
        if let finding = trees[id] {
            return Frame(id: id, directories: [], hits: Hits(list: [Hit(path: [], finding: finding)]))
        }
        let nodes: [TreeNode]
        do { nodes = try loader.loadTree(id) } catch {
            guard BlobLoader.isDamage(error) else { throw error }
            // Found by nobody before: it was damaged since.
            return Frame(id: id, directories: [], hits: Hits())
        }
        var hits = Hits()
        for (name, finding) in entries[id] ?? [] { Self.add(Hit(path: [0x2F] + name, finding: finding), to: &hits) }
        var directories: [(name: [UInt8], tree: ObjectID)] = []
        for node in nodes {
            if node.kind == .dir, let subtree = node.subtree { directories.append((node.name, subtree)) }
            guard !blobs.isEmpty, node.kind == .file, let content = node.content else { continue }
            var findings: Set<Int> = []
            for blob in content { findings.formUnion(blobs[blob] ?? []) }
            for finding in findings.sorted() { Self.add(Hit(path: [0x2F] + node.name, finding: finding), to: &hits) }
        }
        return Frame(id: id, directories: directories, hits: hits)
    }

    private static func add(_ hit: Hit, to hits: inout Hits) {
        guard hits.list.count < hitLimit else {
            hits.cut.insert(hit.finding)
            return
        }
        hits.list.append(hit)
    }

    private static func add(_ below: Hits, below name: [UInt8], to hits: inout Hits) {
        for hit in below.list { add(Hit(path: [0x2F] + name + hit.path, finding: hit.finding), to: &hits) }
        hits.cut.formUnion(below.cut)
    }
}
