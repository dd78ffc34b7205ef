import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Threads

/// A repository in memory with its spool in a directory of its own; quick, and easy to damage.
struct MemoryFixture {
    let directory: TemporaryDirectory
    let memory: MemoryObjectStore
    let store: FaultyObjectStore
    let cancellation = Cancellation()
    let observer = RecordingObserver()

    init(_ name: String = "memory", before: @escaping @Sendable (FaultyObjectStore.Call) throws -> Void = { _ in })
        throws
    {
        directory = try TemporaryDirectory(name)
        try directory.write("", to: "spool/.keep")
        memory = MemoryObjectStore(spoolDirectory: directory.path("spool"))
        store = FaultyObjectStore(memory, before: before)
    }

    @discardableResult
    func initialize() throws -> OpenRepository {
        try OpenRepository.initialize(
            store, password: RepositoryFixture.password, identity: RepositoryFixture.identity,
            now: Timestamp(seconds: 1_700_000_000), derivation: RepositoryFixture.cheap)
    }

    /// - Parameter loading: read the index; a check wants an empty one.
    func open(loading: Bool = true) throws -> OpenRepository {
        let repository = try OpenRepository.open(store, password: RepositoryFixture.password)
        if loading { try repository.loadIndex(cancellation: cancellation) }
        return repository
    }

    /// The names of what is left in the spool.
    var spooled: [String] {
        (FileTree.names(in: directory.path("spool")) ?? ["no spool"]).filter { $0 != ".keep" }
    }

    /// The keys of all objects of a kind.
    func keys(_ kind: ObjectKind) -> [String] { memory.keys.filter { $0.hasPrefix(kind.prefix) } }

    /// One backup of a path as the only entry of the root.
    @discardableResult
    func backup(_ source: String, previous: TreeNode? = nil, options: ArchiveOptions = .init()) throws
        -> (node: TreeNode, statistics: ArchiveStatistics, snapshot: ObjectID)
    {
        let repository = try open()
        let archiver = try Archiver(repository, observer: observer, cancellation: cancellation)
        let node: TreeNode
        let tree: ObjectID
        do {
            node = try archiver.archive(path: source, as: "data", previous: previous, options: options)
            tree = try archiver.saveTree([node])
        } catch {
            archiver.abandon()
            throw error
        }
        try archiver.finish()
        let id = try repository.save(
            SnapshotRecord(time: Timestamp(seconds: 1_700_000_000), tree: tree, paths: [source], hostname: "test-host"))
        return (node, archiver.statistics, id)
    }

    /// Restores an entry of a backup to a path.
    @discardableResult
    func restore(_ node: TreeNode, to path: String) throws -> RestoreStatistics {
        let restorer = Restorer(try open(), observer: observer, cancellation: cancellation)
        try restorer.restore(node, to: path)
        return restorer.statistics
    }

    /// The messages of a check's findings, errors first.
    func check(readData: Bool) throws -> (errors: [String], hints: [String]) {
        let result = try RepositoryCheck(open(loading: false), readData: readData, cancellation: cancellation).run()
        let errors = result.findings.filter(\.isError).map(\.message).sorted()
        return (errors, result.findings.filter { !$0.isError }.map(\.message).sorted())
    }

    /// All paths below an entry, as text, in the order of the trees.
    func paths(_ node: TreeNode) throws -> [String] {
        try paths(node, "", BlobLoader(open()))
    }

    private func paths(_ node: TreeNode, _ prefix: String, _ loader: BlobLoader) throws -> [String] {
        guard let subtree = node.subtree else { return [] }
        return try loader.loadTree(subtree).flatMap { child -> [String] in
            let path = prefix + String(decoding: child.name, as: UTF8.self)
            return [path] + (try paths(child, path + "/", loader))
        }
    }

    /// Changes one byte of an object.
    func flip(_ key: String, at position: Int) throws {
        var bytes = try memory.get(key, range: nil)
        bytes[position < 0 ? bytes.count + position : position] ^= 0x10
        memory.replace(key, with: bytes)
    }
}
