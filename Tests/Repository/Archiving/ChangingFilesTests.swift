import Glibc
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Archiving

/// Files that change while they are read, and archives that end early.
@Suite(.timeLimit(.minutes(2))) struct ChangingFilesTests {
    private func sizes(_ fixture: MemoryFixture, _ node: TreeNode) throws -> [String: UInt64] {
        let target = fixture.directory.path("restored")
        #expect(try fixture.restore(node, to: target).failures == 0)
        let listed = try ShellScript("find restored -type f -printf '%f %s\\n'").run(in: fixture.directory)
        var sizes: [String: UInt64] = [:]
        for line in (listed?.output ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            sizes[String(words[0])] = UInt64(words[1])
        }
        return sizes
    }

    @Test func `a file that shrinks while it is read is kept as far as it was, with a warning`() throws {
        let source = try TemporaryDirectory("shrinking-source")
        #expect(try ShellScript("head -c 9000000 /dev/urandom > file").run(in: source)?.status == 0)
        let fixture = try MemoryFixture("shrinking")
        let path = source.path("file")
        let archiver = try Archiver(
            fixture.initialize(), observer: fixture.observer, cancellation: fixture.cancellation
        ) { moment in
            if case .reading(_, _, let offset) = moment, offset > 0 { truncate(path, 1_200_000) }
        }
        let node = try archiver.archive(path: path, as: "file")
        let tree = try archiver.saveTree([node])
        try archiver.finish()
        #expect(
            fixture.observer.messages == ["\(path): It changed while it was read: 9000000 bytes became 1200000."])
        #expect(node.size == 1_200_000)
        _ = try fixture.open().save(
            SnapshotRecord(time: Timestamp(seconds: 0), tree: tree, paths: [], hostname: "h"))
        #expect(try fixture.check(readData: true).errors == [])
    }

    @Test func `a file that vanishes or becomes something else is left out with a warning`() throws {
        let source = try TemporaryDirectory("replaced-source")
        #expect(
            try ShellScript("mkfifo fifo; ln -s /etc/passwd link; mkdir dir; echo whole > whole").run(in: source)?
                .status
                == 0)
        let fixture = try MemoryFixture("replaced")
        let archiver = try Archiver(
            fixture.initialize(), observer: fixture.observer, cancellation: fixture.cancellation)
        let node = try archive(["dir", "fifo", "gone", "link", "whole"], of: source, with: archiver)
        let tree = try archiver.saveTree([node])
        try archiver.finish()
        _ = try fixture.open().save(
            SnapshotRecord(time: Timestamp(seconds: 0), tree: tree, paths: [], hostname: "h"))
        #expect(
            fixture.observer.messages.sorted() == [
                "\(source.path("dir")): It was replaced by something that is no file while it was read.",
                "\(source.path("fifo")): It was replaced by something that is no file while it was read.",
                "\(source.path("gone")): It vanished before it could be read.",
                "\(source.path("link")): It cannot be opened: Too many levels of symbolic links.",
            ])
        #expect(try fixture.paths(node) == ["whole"])
        #expect(try fixture.check(readData: true).errors == [])
    }

    /// Archives entries of a directory as if the walk had seen each as an empty file.
    private func archive(_ names: [String], of source: TemporaryDirectory, with archiver: Archiver) throws -> TreeNode {
        let handle = try #require(DirectoryHandle.open(path: Array(source.path.utf8)))
        archiver.beginRoot()
        let directory = DirectoryJob(node: TreeTests.node("data", kind: .dir), entryCount: names.count, parent: nil)
        for (slot, name) in names.enumerated() {
            directory.expectEntry(slot: slot)
            let job = FileJob(
                directory: handle, name: Array(name.utf8), parent: (directory, slot), node: TreeTests.node(name),
                isNew: true)
            archiver.work.push(.files([job]))
        }
        if directory.endListing() {
            try archiver.finish(directory, BlobSaver.Worker(archiver.saver))
        }
        return try archiver.waitForRoot("data")
    }

    @Test func `files whose size is not what it seems are kept with a warning`() throws {
        let fixture = try MemoryFixture("proc")
        try fixture.initialize()
        // The kernel says 0 bytes and gives more.
        let node = try fixture.backup("/proc/self/limits").node
        #expect(node.kind == .file && node.size > 100 && node.content?.count == 1)
        #expect(
            fixture.observer.messages == [
                "/proc/self/limits: It changed while it was read: 0 bytes became \(node.size)."
            ])
    }

    @Test func `small files that all became large at once are saved whole`() throws {
        let source = try TemporaryDirectory("grown-source")
        let names = ["a", "b", "c", "d", "e", "f"]
        let made = try ShellScript(
            "for f in \(names.joined(separator: " ")); do head -c 9000000 /dev/urandom > $f; done"
        )
        .run(in: source)
        #expect(made?.status == 0)
        let fixture = try MemoryFixture("grown")
        let archiver = try Archiver(
            fixture.initialize(), observer: fixture.observer, cancellation: fixture.cancellation)
        // More of them than workers and buffers.
        let node = try archive(names, of: source, with: archiver)
        let tree = try archiver.saveTree([node])
        try archiver.finish()
        let repository = try fixture.open()
        _ = try repository.save(SnapshotRecord(time: Timestamp(seconds: 0), tree: tree, paths: [], hostname: "h"))
        #expect(try fixture.check(readData: true).errors == [])
        let expected = Dictionary(uniqueKeysWithValues: names.map { ($0, UInt64(9_000_000)) })
        #expect(try sizes(fixture, node) == expected)
    }

    @Test func `many files that come and go never end an archive`() throws {
        let fixture = try MemoryFixture("churn")
        try fixture.initialize()
        let source = try TemporaryDirectory("churn-source")
        #expect(
            try ShellScript("mkdir -p src/{a,b,c}; for i in {1..300}; do echo $i > src/a/$i; echo $i > src/b/$i; done")
                .run(in: source)?.status == 0)
        let stop = source.path("stop")
        let churn = WorkerThread(name: "churn") {
            _ = try ShellScript(
                """
                i=0
                while [ ! -e \(stop) ]; do
                    i=$((i + 1)); n=$((i % 300 + 1))
                    mv src/a/$n src/c/$n 2>/dev/null || mv src/c/$n src/a/$n
                    echo more >> src/b/$n; : > src/b/$(((n * 7) % 300 + 1)); rm -rf src/c/d; mkdir src/c/d; : > src/c/d/x
                done
                """
            ).run(in: source)
        }
        for _ in 0..<5 { try fixture.backup(source.path("src")) }
        try source.write("", to: "stop")
        try churn.join()
        #expect(fixture.keys(.snapshot).count == 5)
        let (errors, hints) = try fixture.check(readData: true)
        #expect(errors == [] && hints == [])
        for message in fixture.observer.messages {
            #expect(message.contains("changed while") || message.contains("vanished"), "\(message)")
        }
    }

    @Test func `a cancelled archive tells its reason and leaves nothing`() throws {
        let source = try TemporaryDirectory("cancelled-source")
        #expect(
            try ShellScript("mkdir src; head -c 48000000 /dev/urandom > src/a; echo b > src/b").run(in: source)?.status
                == 0)
        let cancellation = Condition<Cancellation?>(nil)
        let fixture = try MemoryFixture("cancelled") { call in
            guard call.kind == .put, call.key.hasPrefix("data/") else { return }
            cancellation.withLock { $0 }?.cancel(.signal(2))
        }
        cancellation.withLock { $0 = fixture.cancellation }
        try fixture.initialize()
        #expect(throws: CancellationFailure(reason: .signal(2))) { try fixture.backup(source.path("src")) }
        #expect(fixture.keys(.snapshot) == [] && fixture.keys(.index) == [] && fixture.spooled == [])
    }

    @Test func `a full store ends the archive with its error, and the next one succeeds`() throws {
        let source = try TemporaryDirectory("full-source")
        #expect(
            try ShellScript("mkdir src; head -c 48000000 /dev/urandom > src/a; echo b > src/b").run(in: source)?.status
                == 0)
        let space = Condition(false)
        let fixture = try MemoryFixture("full") { call in
            guard call.kind == .put, call.key.hasPrefix("data/"), call.packNumber > 0, !space.withLock({ $0 }) else {
                return
            }
            throw ObjectStoreError(code: .noSpace, message: "It is full.")
        }
        try fixture.initialize()
        let error = #expect(throws: ObjectStoreError.self) { try fixture.backup(source.path("src")) }
        #expect(error?.code == .noSpace)
        #expect(fixture.keys(.snapshot) == [] && fixture.keys(.index) == [] && fixture.spooled == [])
        space.withLock { $0 = true }
        try fixture.backup(source.path("src"))
        let (errors, hints) = try fixture.check(readData: true)
        #expect(errors == [])
        #expect(hints.count == 1 && hints[0].hasPrefix("1 pack with "), "\(hints)")
    }

    @Test func `a dump that fails makes no file, one that ends is kept`() throws {
        struct DumpFailure: Error {}
        let fixture = try MemoryFixture("stream")
        let repository = try fixture.initialize()
        let archiver = try Archiver(repository, observer: fixture.observer, cancellation: fixture.cancellation)
        var random = PseudoRandom(seed: 13)
        let content = random.bytes(3_000_000)
        let whole = try archiver.archive(streamNamed: "dump") { consume in
            var position = 0
            // Pieces of all sizes, none of them a chunk's.
            for step in [1, 0, 511, 524_287, 1_000_000, 1_475_201] {
                try content[position..<position + step].withUnsafeBytes { try consume($0) }
                position += step
            }
        }
        #expect(throws: DumpFailure.self) {
            try archiver.archive(streamNamed: "broken") { consume in
                try content.withUnsafeBytes { try consume($0) }
                throw DumpFailure()
            }
        }
        let empty = try archiver.archive(streamNamed: "empty") { _ in }
        #expect(whole.size == 3_000_000 && empty.size == 0 && empty.content == [])
        let tree = try archiver.saveTree([whole, empty])
        try archiver.finish()
        _ = try repository.save(SnapshotRecord(time: Timestamp(seconds: 0), tree: tree, paths: [], hostname: "h"))
        #expect(try fixture.check(readData: true).errors == [])
        let target = fixture.directory.path("dump")
        try fixture.restore(whole, to: target)
        #expect(try fixture.directory.read("dump") == content)
    }
}
