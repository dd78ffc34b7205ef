import Archiving
import Foundation
import Maintenance
import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat
import TestSupport
import Threads

/// A small repository with everything a repository has, and what each of its bytes is needed for.
///
/// Two keys, three snapshots, three index files, packs of data and of trees, one lock; about ten thousand bytes.
struct CorruptionFixture {
    /// Entries of a snapshot by path: the bytes of files, the targets of links; directories are what they hold.
    typealias Entries = [String: [UInt8]]

    let directory: TemporaryDirectory
    /// All objects as they should be.
    let objects: [String: [UInt8]]
    /// What each snapshot holds.
    let snapshots: [ObjectID: Entries]
    /// The blobs of each pack, by the pack's key in the store.
    let packs: [String: [PackedBlob]]
    /// What each blob is needed for: all files that cannot be restored without it.
    let needs: [ObjectID: [ObjectID: Set<String>]]
    let cancellation = Cancellation()

    init() throws {
        let memory = try MemoryFixture("corruption")
        try memory.initialize().addKey(
            password: RepositoryFixture.password, identity: RepositoryFixture.identity,
            now: Timestamp(seconds: 1_700_000_001), derivation: RepositoryFixture.cheap)
        directory = try TemporaryDirectory("corruption-source")
        var random = PseudoRandom(seed: 3)
        let text = Array(String(repeating: "what was written once must be read for ever. ", count: 12).utf8)
        try directory.write(text, to: "source/text")
        try directory.write(text, to: "source/sub/same text")
        try directory.write(random.bytes(300), to: "source/random")
        try directory.write(Array("short".utf8), to: "source/sub/deep/short")
        try directory.write([], to: "source/empty")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("source/link"), withDestinationPath: "sub/deep")
        var snapshots: [ObjectID: Entries] = [:]
        var previous: TreeNode?
        for number in 0..<3 {
            try directory.write(random.bytes(150 + number), to: "source/changing")
            try directory.write(text.reversed() + [UInt8(number)], to: "source/sub/reversed \(number)")
            let result = try memory.backup(directory.path("source"), previous: previous)
            previous = result.node
            snapshots[result.snapshot] = Self.entries(directory.path("source"), below: "data")
        }
        _ = try memory.open().saveLockOfTheDead()
        let repository = try memory.open()
        let needs = try Mapping(repository, snapshots: snapshots.keys.sorted()).needs
        let store = memory.memory
        var packs: [String: [PackedBlob]] = [:]
        for key in memory.keys(.pack) {
            let bytes = try store.get(key, range: nil)
            packs[key] = try bytes.withUnsafeBytes { try BlobLoader(repository).header(of: $0) }
        }
        self.packs = packs
        self.needs = needs
        self.snapshots = snapshots
        objects = try Dictionary(uniqueKeysWithValues: store.keys.map { ($0, try store.get($0, range: nil)) })
    }

    /// A store with all objects, of which the given ones are others or gone.
    func store(replacing changes: [String: [UInt8]?]) throws -> MemoryObjectStore {
        try directory.write("", to: "spool/.keep")
        let store = MemoryObjectStore(spoolDirectory: directory.path("spool"))
        for (key, bytes) in objects { store.replace(key, with: bytes) }
        for (key, bytes) in changes { store.replace(key, with: bytes) }
        return store
    }

    /// What is lost without some blobs: by snapshot, the paths.
    func losses(without blobs: some Sequence<PackedBlob>) -> [ObjectID: Set<String>] {
        var losses: [ObjectID: Set<String>] = [:]
        for blob in blobs {
            for (snapshot, paths) in needs[blob.id] ?? [:] { losses[snapshot, default: []].formUnion(paths) }
        }
        return losses
    }

    /// What lies below a directory of the file system.
    static func entries(_ root: String, below prefix: String) -> Entries {
        var entries: Entries = [:]
        for path in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
            let full = "\(root)/\(path)"
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: full) {
                entries["\(prefix)/\(path)"] = Array(target.utf8)
            } else if let bytes = FileManager.default.contents(atPath: full), !isDirectory(full) {
                entries["\(prefix)/\(path)"] = Array(bytes)
            }
        }
        return entries
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}

/// Walks the snapshots of a sound repository and notes who needs which blob.
private struct Mapping {
    private(set) var needs: [ObjectID: [ObjectID: Set<String>]] = [:]
    private let loader: BlobLoader

    init(_ repository: OpenRepository, snapshots: [ObjectID]) throws {
        loader = try BlobLoader(repository)
        for snapshot in snapshots {
            let record = try SnapshotRecord(decoding: repository.loadUnpacked(.snapshot, snapshot))
            _ = try walk(record.tree, "", snapshot)
        }
    }

    /// - Returns: all paths below the tree.
    private mutating func walk(_ tree: ObjectID, _ prefix: String, _ snapshot: ObjectID) throws -> Set<String> {
        var paths: Set<String> = []
        for node in try loader.loadTree(tree) {
            let path = prefix + String(decoding: node.name, as: UTF8.self)
            if let subtree = node.subtree {
                paths.formUnion(try walk(subtree, path + "/", snapshot))
            } else {
                paths.insert(path)
            }
            for blob in node.content ?? [] { needs[blob, default: [:]][snapshot, default: []].insert(path) }
        }
        needs[tree, default: [:]][snapshot, default: []].formUnion(paths)
        return paths
    }
}

extension OpenRepository {
    /// Leaves a shared lock behind, as a process that was killed does.
    fileprivate func saveLockOfTheDead() throws -> ObjectID {
        try saveUnpacked(
            .lock,
            LockDocument(
                time: Timestamp(seconds: 1_700_000_000), exclusive: false, hostname: "elsewhere", username: "tester",
                pid: 1, uid: 0, gid: 0, bootID: nil, processStart: nil
            ).encoded())
    }
}
