import Repository
import RepositoryFormat
import Synchronization
import Threads

/// Reads every tree that snapshots need, each once, and finds what the trees need and the index lacks.
///
/// Several threads take trees from one stack; the trees of a directory follow each other in their pack, so that a
/// thread finds most of what it takes in the pack that it has already.
final class TreeSurvey: Sendable {
    /// What is wrong with an entry of a tree.
    struct EntryProblem: Sendable {
        let kind: RepositoryCheck.Finding.Kind
        let name: [UInt8]
        /// A clause with the entry as its subject: "has no list of blobs".
        let problem: String
    }

    /// What was found; empty but for the counters when all is well.
    struct Outcome: Sendable {
        var treeCount = 0
        /// Trees that cannot be read from any pack, and why.
        var badTrees: [ObjectID: String] = [:]
        /// Data blobs that files need and no index knows.
        var missingBlobs: Set<ObjectID> = []
        var entries: [ObjectID: [EntryProblem]] = [:]
    }

    private struct Work {
        var pending: [ObjectID] = []
        var activeCount = 0
        var failure: (any Error)?
    }

    /// A thread takes as many trees in one go, so that it keeps to one pack.
    private static let batchCount = 16

    private let repository: OpenRepository
    private let used: UsedBlobs
    private let cancellation: Cancellation
    private let work = Condition(Work())
    private let found = Mutex(Outcome())

    /// - Parameter used: gets every blob that a snapshot needs.
    init(_ repository: OpenRepository, used: UsedBlobs, cancellation: Cancellation) {
        self.repository = repository
        self.used = used
        self.cancellation = cancellation
    }

    /// - Parameter progress: gets the number of trees that were read so far.
    func run(roots: [ObjectID], progress: @escaping @Sendable (Int) -> Void) throws -> Outcome {
        push(roots)
        try runWorkers(count: processorCount, name: "trees") { [self] in
            let worker = try Worker(self)
            while let batch = try take() {
                var problem: (any Error)?
                do { for id in batch { try worker.survey(id) } } catch { problem = error }
                work.withLock { work in
                    work.activeCount -= 1
                    work.failure = work.failure ?? problem
                }
                progress(found.withLock { $0.treeCount })
            }
        }
        if let failure = work.withLock({ $0.failure }) { throw failure }
        try cancellation.check()
        return found.withLock { $0 }
    }

    /// Adds trees that were not seen before.
    private func push(_ ids: [ObjectID]) {
        guard !ids.isEmpty else { return }
        let new = used.insertNew(ids, .tree, of: repository.index) { missing in
            found.withLock { $0.badTrees[missing] = RepositoryError.missingBlob(missing, .tree).statement }
        }
        guard !new.isEmpty else { return }
        work.withLock { $0.pending.append(contentsOf: new.reversed()) }
    }

    /// The next trees; nil when all are done.
    private func take() throws -> [ObjectID]? {
        while true {
            try cancellation.check()
            let batch = work.wait(timeout: .milliseconds(200)) { work -> [ObjectID]? in
                if work.failure != nil { return [] }
                guard !work.pending.isEmpty else { return work.activeCount == 0 ? [] : nil }
                work.activeCount += 1
                let count = min(Self.batchCount, max(1, work.pending.count / 2))
                defer { work.pending.removeLast(count) }
                return work.pending.suffix(count).reversed()
            }
            if let batch { return batch.isEmpty ? nil : batch }
        }
    }

    /// One thread's share.
    private final class Worker {
        private let survey: TreeSurvey
        private let loader: BlobLoader
        /// The blobs of all files of the tree at hand, one after the other.
        private var content: [ObjectID] = []
        private var sizes: [Int?] = []
        private var numbers: [Int] = []

        init(_ survey: TreeSurvey) throws {
            self.survey = survey
            loader = try BlobLoader(survey.repository)
        }

        func survey(_ id: ObjectID) throws {
            try survey.cancellation.check()
            let nodes: [TreeNode]
            do { nodes = try loader.loadTree(id) } catch {
                guard BlobLoader.isDamage(error) else { throw error }
                return survey.found.withLock { $0.badTrees[id] = Self.statement(error) }
            }
            content.removeAll(keepingCapacity: true)
            var subtrees: [ObjectID] = []
            var problems: [EntryProblem] = []
            for node in nodes {
                if let problem = Self.problem(of: node) { problems.append(problem) }
                if let subtree = node.subtree, node.kind == .dir { subtrees.append(subtree) }
                if node.kind == .file, let blobs = node.content { content.append(contentsOf: blobs) }
            }
            lookUpContent()
            findMissing(nodes, &problems)
            survey.used.insert(numbers)
            let all = problems
            survey.found.withLock { found in
                found.treeCount += 1
                if !all.isEmpty { found.entries[id] = all }
            }
            survey.push(subtrees)
        }

        private static func statement(_ error: any Error) -> String {
            (error as? RepositoryError)?.statement ?? "\(error)"
        }

        private static func problem(of node: TreeNode) -> EntryProblem? {
            if !node.unknownKind.isEmpty || node.kind == .irregular {
                let kind = node.unknownKind.isEmpty ? Array("irregular".utf8) : node.unknownKind
                return EntryProblem(
                    kind: .damagedEntry, name: node.name,
                    problem: "is of the type '\(String(decoding: kind, as: UTF8.self))', which nobody knows")
            }
            if node.kind == .file, node.content == nil {
                return EntryProblem(kind: .damagedEntry, name: node.name, problem: "is a file without a list of blobs")
            }
            if node.kind == .dir, node.subtree == nil {
                return EntryProblem(kind: .damagedEntry, name: node.name, problem: "is a directory without a tree")
            }
            return nil
        }

        private func lookUpContent() {
            sizes.removeAll(keepingCapacity: true)
            numbers.removeAll(keepingCapacity: true)
            survey.repository.index.lookUp(content, .data) { _, number, size in
                sizes.append(size)
                if let number { numbers.append(number) }
            }
        }

        private func findMissing(_ nodes: [TreeNode], _ problems: inout [EntryProblem]) {
            var position = 0
            for node in nodes where node.kind == .file {
                guard let count = node.content?.count else { continue }
                var total: UInt64 = 0
                var isWhole = true
                for index in position..<position + count {
                    if let size = sizes[index] {
                        total += UInt64(size)
                    } else {
                        isWhole = false
                        let id = content[index]
                        survey.found.withLock { _ = $0.missingBlobs.insert(id) }
                    }
                }
                position += count
                // Not damage: older programs wrote such entries for files that changed while they were read.
                if isWhole, total != node.size {
                    problems.append(
                        EntryProblem(
                            kind: .sizeMismatch, name: node.name,
                            problem: "has \(node.size) bytes by its entry and \(total) by its blobs"))
                }
            }
        }
    }
}
