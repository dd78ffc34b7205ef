import Archiving
import CLinux
import Glibc
import RepositoryFormat
import TestSupport
import Testing

@testable import Repository

/// What a backup of something that hardly changed comes to: the same trees as one that compares with nothing.
@Suite(.timeLimit(.minutes(2))) struct UnchangedTests {
    private struct Fixture {
        let memory: MemoryFixture
        var source: String { memory.directory.path("source") }

        init() throws {
            memory = try MemoryFixture("unchanged")
            try memory.initialize()
            for folder in 0..<6 {
                for file in 0..<5 {
                    try memory.directory.write("content \(folder) \(file)", to: "source/d\(folder)/inner/f\(file)")
                }
            }
            try memory.directory.write([UInt8](repeating: 7, count: 3 << 20), to: "source/large")
            try memory.directory.write("odd", to: "source/a \"quoted\" & <odd> näme\n")
            try memory.directory.write("", to: "source/empty")
            #expect(symlink("d0/inner/f0", path("link")) == 0)
            #expect(symlink("elsewhere\u{1}", path("d1/odd-link")) == 0)
            #expect(mkfifo(path("pipe"), 0o600) == 0)
            // Not every file system of a test machine takes attributes.
            _ = clinux_lsetxattr(path("d2/inner/f2"), "user.note", "value", 5)
        }

        func path(_ name: String) -> String { "\(source)/\(name)" }

        /// The second backup must come to the tree that a backup without previous one comes to.
        func again(_ previous: TreeNode, options: ArchiveOptions = .init()) throws
            -> (node: TreeNode, statistics: ArchiveStatistics)
        {
            let again = try memory.backup(source, previous: previous, options: options)
            let fresh = try memory.backup(source)
            #expect(again.node == fresh.node, "the same, byte for byte")
            return (again.node, again.statistics)
        }
    }

    @Test func `nothing changed: the same tree, and no file is opened`() throws {
        let fixture = try Fixture()
        let first = try fixture.memory.backup(fixture.source)
        let repository = try fixture.memory.open()
        let archiver = try Archiver(
            repository, observer: fixture.memory.observer, cancellation: fixture.memory.cancellation)
        let node = try archiver.archive(path: fixture.source, as: "data", previous: first.node)
        try archiver.finish()
        #expect(node == first.node)
        let statistics = archiver.statistics
        #expect(statistics.filesUnmodified == 33 && statistics.filesNew == 0 && statistics.filesChanged == 0)
        #expect(statistics.others == first.statistics.others && statistics.directories == first.statistics.directories)
        #expect(statistics.bytes == first.statistics.bytes)
        #expect(archiver.added.dataBlobs == 0 && archiver.added.treeBlobs == 0)
        #expect(fixture.memory.observer.messages.isEmpty)
    }

    @Test func `every kind of change is noticed, and everything beside it is taken over`() throws {
        let fixture = try Fixture()
        var previous = try fixture.memory.backup(fixture.source).node
        func change(
            _ what: String, modified: UInt64 = 0, new: UInt64 = 0, unmodified: UInt64, _ body: () throws -> Void
        ) throws {
            try body()
            let (node, statistics) = try fixture.again(previous)
            #expect(statistics.filesChanged == modified, "\(what)")
            #expect(statistics.filesNew == new, "\(what)")
            #expect(statistics.filesUnmodified == unmodified, "\(what)")
            #expect(node != previous, "\(what)")
            previous = node
        }
        try change("content of the same size", modified: 1, unmodified: 32) {
            try fixture.memory.directory.write("CONTENT 3 3", to: "source/d3/inner/f3")
        }
        try change("a new file between others", new: 1, unmodified: 33) {
            try fixture.memory.directory.write("new", to: "source/d3/inner/f22")
        }
        try change("a removed file", unmodified: 33) { unlink(fixture.path("d4/inner/f0")) }
        // The time of change tells that it must be read again, as restic has it.
        try change("another mode", modified: 1, unmodified: 32) { chmod(fixture.path("d0/inner/f1"), 0o600) }
        try change("another link count", modified: 1, new: 1, unmodified: 32) {
            #expect(Glibc.link(fixture.path("d0/inner/f2"), fixture.path("d0/hard")) == 0)
        }
        try change("a link to somewhere else", unmodified: 34) {
            unlink(fixture.path("link"))
            #expect(symlink("d0/inner/f1", fixture.path("link")) == 0)
        }
        try change("a file in the place of a link", new: 1, unmodified: 34) {
            unlink(fixture.path("link"))
            try fixture.memory.directory.write("file", to: "source/link")
        }
        try change("a directory in the place of a file", new: 1, unmodified: 34) {
            unlink(fixture.path("link"))
            try fixture.memory.directory.write("file", to: "source/link/inner")
        }
        try change("a renamed directory", new: 5, unmodified: 30) {
            #expect(rename(fixture.path("d5"), fixture.path("d7")) == 0)
        }
        try change("only the times of a directory", unmodified: 35) {
            let moment = timespec(tv_sec: 1_600_000_000, tv_nsec: 5)
            _ = [moment, moment].withUnsafeBufferPointer {
                utimensat(AT_FDCWD, fixture.path("d1"), $0.baseAddress, 0)
            }
        }
        if clinux_lsetxattr(fixture.path("d1/inner"), "user.note", "v", 1) == 0 {
            try change("an attribute of a directory", unmodified: 35) {}
        }
        #expect(fixture.memory.observer.messages.isEmpty)
    }

    @Test func `content that the repository has no longer is read again`() throws {
        let fixture = try Fixture()
        let first = try fixture.memory.backup(fixture.source)
        // A repository with the trees only, as after the loss of a pack of data and a repair of the index.
        let repository = try fixture.memory.open(loading: false)
        try repository.forEachIndexedPack(cancellation: fixture.memory.cancellation) { _, pack, blobs in
            if blobs.contains(where: { $0.kind == .tree }) { repository.index.insert(pack: pack, blobs: blobs) }
        }
        let archiver = try Archiver(
            repository, observer: fixture.memory.observer, cancellation: fixture.memory.cancellation)
        let node = try archiver.archive(path: fixture.source, as: "data", previous: first.node)
        try archiver.finish()
        #expect(node == first.node)
        // The empty file has no content to lose.
        #expect(archiver.statistics.filesUnmodified == 1 && archiver.statistics.filesChanged == 32)
        #expect(archiver.added.dataBlobs > 30)
    }

    @Test func `inodes and times of change are ignored on request`() throws {
        let fixture = try Fixture()
        let first = try fixture.memory.backup(fixture.source)
        // Copied and put back: other inodes, other times of change, the rest as it was.
        let script = ShellScript(
            "cp -a \(fixture.source)/d0 d0 && rm -r \(fixture.source)/d0 && mv d0 \(fixture.source)/")
        #expect(try script.run(in: fixture.memory.directory)?.status == 0)
        var options = ArchiveOptions()
        #expect(try fixture.again(first.node, options: options).statistics.filesChanged == 5)
        options.ignoresInode = true
        #expect(try fixture.again(first.node, options: options).statistics.filesChanged == 5)
        options.ignoresChangeTime = true
        let statistics = try fixture.again(first.node, options: options).statistics
        #expect(statistics.filesChanged == 0 && statistics.filesUnmodified == 33)
    }

    @Test func `a previous tree that is encoded another way costs time only`() throws {
        let fixture = try Fixture()
        let first = try fixture.memory.backup(fixture.source)
        let repository = try fixture.memory.open()
        let loader = try BlobLoader(repository)
        let subtree = try #require(first.node.subtree)
        let text = String(decoding: try loader.load(subtree, .tree), as: UTF8.self)
        let saver = try BlobSaver(repository, cancellation: fixture.memory.cancellation)
        let worker = try BlobSaver.Worker(saver)
        let variants = [
            text.replacing(",\"mtime\"", with: ", \"mtime\""), text.replacing("{\"nodes\"", with: "{ \"nodes\""), "",
            text.replacing(",\"uid\":0,\"gid\":0", with: ",\"gid\":0,\"uid\":0"),
            String(text.prefix(text.count / 2)), "{\"nodes\":null}", "{\"nodes\":[]}",
        ]
        for variant in variants { _ = try worker.save(Array(variant.utf8), .tree) }
        try saver.finish()
        for variant in variants {
            var previous = first.node
            previous.subtree = ObjectID(hashing: Array(variant.utf8))
            let archiver = try Archiver(
                repository, observer: fixture.memory.observer, cancellation: fixture.memory.cancellation)
            let node = try archiver.archive(path: fixture.source, as: "data", previous: previous)
            try archiver.finish()
            #expect(node == first.node, "\(variant.prefix(40))")
        }
    }
}
