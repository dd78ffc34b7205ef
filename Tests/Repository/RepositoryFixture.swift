import Archiving
import Glibc
import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat
import Synchronization
import TestSupport
import Threads

/// Collects what archiving and restoring tell.
final class RecordingObserver: ArchiveObserver, RestoreObserver {
    private let list = Mutex<[String]>([])
    var messages: [String] { list.withLock { $0 } }
    func warning(path: String, message: String) { list.withLock { $0.append("\(path): \(message)") } }
    func failure(path: String, message: String) { list.withLock { $0.append("FAILED \(path): \(message)") } }
}

/// A repository in a directory of its own, with the password "secret" and a cheap key.
struct RepositoryFixture {
    static let identity = Identity(hostname: "test-host", username: "tester", uid: 0, gid: 0)
    static let password = Array("secret".utf8)
    static let cheap = KeyDerivation(cost: 16, blockSize: 1, parallelism: 1)

    let directory: TemporaryDirectory
    let path: String
    let cancellation = Cancellation()
    let observer = RecordingObserver()

    init(_ name: String = "repository") throws {
        directory = try TemporaryDirectory(name)
        path = directory.path("repository")
    }

    func initialize() throws -> OpenRepository {
        try OpenRepository.initialize(
            try DirectoryObjectStore(root: path), password: Self.password, identity: Self.identity,
            now: Timestamp(seconds: 1_700_000_000), derivation: Self.cheap)
    }

    func open() throws -> OpenRepository {
        let repository = try OpenRepository.open(try DirectoryObjectStore(root: path), password: Self.password)
        try repository.loadIndex(cancellation: cancellation)
        return repository
    }

    /// One backup of a path as the only entry of the root.
    @discardableResult
    func backup(_ source: String, as name: String, previous: TreeNode? = nil, options: ArchiveOptions = .init()) throws
        -> (id: ObjectID, node: TreeNode, statistics: ArchiveStatistics)
    {
        let repository = try open()
        let archiver = try Archiver(repository, observer: observer, cancellation: cancellation)
        let node: TreeNode
        let tree: ObjectID
        do {
            node = try archiver.archive(path: source, as: name, previous: previous, options: options)
            tree = try archiver.saveTree([node])
        } catch {
            archiver.abandon()
            throw error
        }
        try archiver.finish()
        let id = try repository.save(
            SnapshotRecord(time: Timestamp(seconds: 1_700_000_000), tree: tree, paths: [source], hostname: "test-host"))
        return (id, node, archiver.statistics)
    }

    /// Runs a script with the repository and its password set for restic; what it printed, and its status.
    func run(_ script: String) throws -> ShellScript.Result {
        let scratch = try TemporaryDirectory("script")
        let result = try ShellScript(
            script,
            environment: [
                "RESTIC_REPOSITORY": path, "RESTIC_PASSWORD": "secret", "RESTIC_CACHE_DIR": directory.path("cache"),
            ]
        ).run(in: scratch)
        guard let result else { throw ArchiveFixtureError.noShell }
        return result
    }
}

enum ArchiveFixtureError: Error { case noShell }
