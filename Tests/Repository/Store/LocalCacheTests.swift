import Archiving
import Glibc
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Repository

@Suite(.timeLimit(.minutes(2))) struct LocalCacheTests {
    /// A repository with one backup of some directories, and a cache.
    private struct Fixture {
        let memory: MemoryFixture
        let snapshot: ObjectID
        let node: TreeNode
        var root: String { memory.directory.path("cache") }

        init() throws {
            memory = try MemoryFixture("local-cache")
            try memory.initialize()
            for folder in 0..<8 {
                for file in 0..<4 {
                    try memory.directory.write("content \(folder) \(file)", to: "source/d\(folder)/f\(file)")
                }
            }
            (node, _, snapshot) = try memory.backup(memory.directory.path("source"))
        }

        func open(caching: Bool = true) throws -> OpenRepository {
            let repository = try memory.open(loading: false)
            if caching { repository.useCache(root: root) }
            return repository
        }

        /// Reads snapshots, index and all trees, and gives what was read.
        @discardableResult
        func readAll(caching: Bool = true) throws -> [String] {
            let repository = try open(caching: caching)
            let snapshots = try repository.snapshots(cancellation: memory.cancellation)
            try repository.loadIndex(cancellation: memory.cancellation)
            let loader = try BlobLoader(repository)
            func names(_ tree: ObjectID) throws -> [String] {
                try loader.loadTree(tree).flatMap { node in
                    [String(decoding: node.name, as: UTF8.self)] + (try node.subtree.map(names) ?? [])
                }
            }
            return try snapshots.flatMap { try [$0.id.hexadecimal] + names($0.record.tree) }
        }

        /// How often the store was asked for objects that have copies.
        var gets: Int {
            memory.store.calls.withLock { calls in
                calls.filter { call in
                    call.kind == .get && ["index/", "snapshots/", "data/"].contains { call.key.hasPrefix($0) }
                }.count
            }
        }

        /// All files of the cache but its tag, absolute.
        var copies: [String] {
            get throws {
                let folder = root + "/repositories/" + (try memory.open(loading: false)).config.id
                return ["index", "snapshots", "data"].flatMap { kind in
                    (Disk.names(in: "\(folder)/\(kind)") ?? []).map { "\(folder)/\(kind)/\($0)" }
                }
            }
        }
    }

    @Test func `the second reading asks the store for listings only`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll(caching: false)
        #expect(expected.count == 1 + 1 + 8 + 32)
        #expect(try fixture.readAll() == expected)
        let gets = fixture.gets
        #expect(try fixture.readAll() == expected)
        #expect(fixture.gets == gets)
        #expect(try fixture.copies.count == 3, "an index, a snapshot, a pack of trees")
        let tag = String(decoding: try fixture.memory.directory.read("cache/CACHEDIR.TAG"), as: UTF8.self)
        #expect(tag.hasPrefix("Signature: 8a477f597d28d172789f06886806bc55\n"))
        _ = try fixture.readAll(caching: false)
        #expect(fixture.gets > gets)
    }

    @Test func `no cut, flipped or foreign copy is believed, and none is an error`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll()
        let copies = try fixture.copies
        for copy in copies {
            let bytes = try #require(Disk.content(copy))
            var flipped = bytes
            flipped[bytes.count / 2] ^= 1
            var last = bytes
            last[bytes.count - 1] ^= 0x80
            let others = try copies.filter { $0 != copy }.map { try #require(Disk.content($0)) }
            for wrong in [[], [0], Array(bytes.dropLast()), flipped, last, bytes + [0]] + others {
                try Disk.write(wrong, to: copy)
                #expect(try fixture.readAll() == expected)
            }
            #expect(try fixture.readAll() == expected)
        }
        #expect(try fixture.copies == copies, "what was wrong was replaced")
    }

    @Test func `what is no file in the place of a copy is passed over`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll()
        for copy in try fixture.copies {
            unlink(copy)
            #expect(mkfifo(copy, 0o600) == 0)
            #expect(try fixture.readAll() == expected)
            unlink(copy)
            #expect(symlink("/etc/passwd", copy) == 0)
            #expect(try fixture.readAll() == expected)
            unlink(copy)
            #expect(mkdir(copy, 0o700) == 0)
            #expect(try fixture.readAll() == expected)
            rmdir(copy)
        }
    }

    @Test func `the cache may vanish at any moment`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll()
        let isDone = Flag()
        let root = fixture.root
        let vandal = WorkerThread(name: "vandal") {
            while !isDone.isSet { Disk.remove(root) }
        }
        for _ in 0..<20 { #expect(try fixture.readAll() == expected) }
        isDone.set()
        try vandal.join()
    }

    @Test func `two at once share a cache`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll(caching: false)
        let threads = (0..<4).map { number in
            WorkerThread(name: "reader-\(number)") {
                for _ in 0..<10 {
                    let read = try fixture.readAll()
                    #expect(read == expected)
                }
            }
        }
        for thread in threads { try thread.join() }
        #expect(try fixture.copies.count == 3)
    }

    @Test func `copies of what the repository has no longer are removed, and others never`() throws {
        let fixture = try Fixture()
        try fixture.readAll()
        let kept = try fixture.copies
        let folder = fixture.root + "/repositories/" + (try fixture.open()).config.id
        let foreign = TreeTests.id(3).hexadecimal
        for kind in ["index", "snapshots", "data"] { try Disk.write([1], to: "\(folder)/\(kind)/\(foreign)") }
        try Disk.write([1], to: "\(folder)/data/.new-1-1")
        try Disk.write([1], to: "\(folder)/data/.new-1-2")
        Disk.age("\(folder)/data/.new-1-1", seconds: 25 * 3600)
        let old = fixture.root + "/repositories/" + foreign
        for path in [old, old + "/index"] { #expect(mkdir(path, 0o700) == 0) }
        try Disk.write([1], to: old + "/index/" + foreign)
        try fixture.readAll()
        #expect(Disk.names(in: old) == ["index"], "it was in use today")
        Disk.age(old, seconds: 31 * 24 * 3600)
        try fixture.readAll()
        #expect(Disk.names(in: old) == nil)
        let left = try fixture.copies
        #expect(Set(left) == Set(kept + ["\(folder)/data/.new-1-2"]))
    }

    @Test func `a cache that cannot be is none`() throws {
        let fixture = try Fixture()
        let expected = try fixture.readAll(caching: false)
        try fixture.memory.directory.write("a file", to: "cache")
        #expect(try fixture.readAll() == expected)
        // An id that is a path leads nowhere.
        #expect(LocalCache(root: fixture.memory.directory.path("c"), repositoryID: "../../x") == nil)
    }

    @Test func `a damaged object of the store is found although there is a copy`() throws {
        let fixture = try Fixture()
        try fixture.readAll()
        for key in fixture.memory.keys(.index) { try fixture.memory.flip(key, at: 40) }
        let repository = try fixture.open()
        repository.bypassCache()
        #expect(throws: RepositoryError.self) { try repository.loadIndex(cancellation: fixture.memory.cancellation) }
    }

    @Test func `a backup leaves copies of all that the next one needs`() throws {
        let fixture = try Fixture()
        let repository = try fixture.open()
        try repository.loadIndex(cancellation: fixture.memory.cancellation)
        let archiver = try Archiver(
            repository, observer: fixture.memory.observer, cancellation: fixture.memory.cancellation)
        try fixture.memory.directory.write("new", to: "source/d0/new")
        let node = try archiver.archive(
            path: fixture.memory.directory.path("source"), as: "data", previous: fixture.node)
        let tree = try archiver.saveTree([node])
        try archiver.finish()
        _ = try repository.save(
            SnapshotRecord(time: Timestamp(seconds: 1_700_000_001), tree: tree, paths: [], hostname: "test-host"))
        let stored = fixture.memory.memory.keys
        let copied = try fixture.copies.map { $0.split(separator: "/").suffix(1).joined() }
        for id in copied { #expect(stored.contains { $0.hasSuffix(id) }) }
        // Both snapshots' trees but those that were read alone.
        #expect(copied.count >= 2 + 1 + 1)
        let gets = fixture.gets
        let read = try fixture.readAll()
        #expect(read.count == 2 + 41 + 42)
        let first = fixture.gets
        #expect(first <= gets + 2, "the first snapshot and the pack of its trees at most")
    }
}

/// The few file operations that these tests need.
private enum Disk {
    static func content(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        return Array(bytes[0..<fread(&bytes, 1, bytes.count, file)])
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "wb"))
        defer { fclose(file) }
        if !bytes.isEmpty { #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count) }
    }

    /// Sorted; nil when there is no such directory.
    static func names(in path: String) -> [String]? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
            names.append(String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)))
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    static func remove(_ path: String) {
        for name in names(in: path) ?? [] { remove(path + "/" + name) }
        if unlink(path) != 0 { rmdir(path) }
    }

    static func age(_ path: String, seconds: Int) {
        let moment = timespec(tv_sec: time(nil) - seconds, tv_nsec: 0)
        _ = [moment, moment].withUnsafeBufferPointer { utimensat(AT_FDCWD, path, $0.baseAddress, 0) }
    }
}
