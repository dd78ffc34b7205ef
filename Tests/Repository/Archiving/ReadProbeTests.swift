import CLinux
import Glibc
import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Archiving

/// What happens to files between the moment the walk sees them and the last byte that is read, at exactly that moment.
@Suite(.timeLimit(.minutes(2))) struct ReadProbeTests {
    let fixture: MemoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("probe")
        try fixture.initialize()
        scratch = try TemporaryDirectory("probe-source")
        #expect(
            try ShellScript(
                "mkdir src; cd src; echo small > small; head -c 3000000 /dev/urandom > large; echo rest > rest"
            ).run(in: scratch)?.status == 0)
    }

    /// Archives the source while `change` is done once, when the moment comes.
    private func archive(
        _ isMoment: @escaping @Sendable (ReadMoment) -> Bool, _ change: @escaping @Sendable (ReadMoment) -> Void
    ) throws -> [String: TreeNode] {
        let archiver = try Archiver(
            fixture.open(), observer: fixture.observer, cancellation: fixture.cancellation
        ) { [once] moment in
            if isMoment(moment), once.take() { change(moment) }
        }
        let node = try archiver.archive(path: scratch.path("src"), as: "src")
        let tree = try archiver.saveTree([node])
        try archiver.finish()
        _ = try fixture.open().save(SnapshotRecord(time: Timestamp(seconds: 0), tree: tree, paths: [], hostname: "h"))
        #expect(try fixture.check(readData: true).errors == [])
        let nodes = try BlobLoader(fixture.open()).loadTree(try #require(node.subtree))
        return Dictionary(uniqueKeysWithValues: nodes.map { (String(decoding: $0.name, as: UTF8.self), $0) })
    }

    private final class Once: Sendable {
        private let isTaken = Atomic(false)
        func take() -> Bool { !isTaken.exchange(true, ordering: .relaxed) }
    }

    private let once = Once()

    private static func opening(_ wanted: String) -> @Sendable (ReadMoment) -> Bool {
        { if case .opening(let name) = $0 { name == Array(wanted.utf8) } else { false } }
    }

    private static func reading(_ wanted: String, from: UInt64 = 0) -> @Sendable (ReadMoment) -> Bool {
        {
            if case .reading(let name, _, let offset) = $0 {
                name == Array(wanted.utf8) && offset >= from
            } else {
                false
            }
        }
    }

    @Test(arguments: ["small", "large"])
    func `a file that vanishes is left out`(name: String) throws {
        let path = scratch.path("src/\(name)")
        let nodes = try archive(Self.opening(name)) { _ in unlink(path) }
        #expect(fixture.observer.messages == ["\(path): It vanished before it could be read."])
        #expect(nodes.keys.sorted() == ["small", "large", "rest"].filter { $0 != name }.sorted())
    }

    @Test(arguments: ["small", "large"])
    func `a file that becomes a directory is left out`(name: String) throws {
        let path = scratch.path("src/\(name)")
        let nodes = try archive(Self.opening(name)) { _ in
            unlink(path)
            mkdir(path, 0o755)
        }
        #expect(
            fixture.observer.messages == [
                "\(path): It was replaced by something that is no file while it was read."
            ])
        #expect(nodes[name] == nil && nodes["rest"] != nil)
    }

    @Test(arguments: ["small", "large"])
    func `a file that becomes a link is left out, what the link points at is not read`(name: String) throws {
        let path = scratch.path("src/\(name)")
        let nodes = try archive(Self.opening(name)) { _ in
            unlink(path)
            symlink("/etc/hostname", path)
        }
        #expect(
            fixture.observer.messages == ["\(path): It cannot be opened: Too many levels of symbolic links."])
        #expect(nodes[name] == nil && nodes["rest"] != nil)
    }

    @Test(arguments: ["small", "large"])
    func `a file that is removed while it is open is kept whole`(name: String) throws {
        let path = scratch.path("src/\(name)")
        let nodes = try archive(Self.reading(name)) { _ in unlink(path) }
        #expect(fixture.observer.messages == [])
        #expect(nodes[name]?.size == (name == "small" ? 6 : 3_000_000))
    }

    @Test func `a small file that grows is read to its end`() throws {
        let path = scratch.path("src/small")
        let nodes = try archive(Self.reading("small")) { _ in Self.append(10_000, to: path) }
        #expect(fixture.observer.messages == ["\(path): It changed while it was read: 6 bytes became 10006."])
        #expect(nodes["small"]?.size == 10_006)
    }

    @Test func `a small file that becomes a large one is read to its end`() throws {
        let path = scratch.path("src/small")
        let nodes = try archive(Self.reading("small")) { _ in Self.append(1_500_000, to: path) }
        #expect(fixture.observer.messages == ["\(path): It changed while it was read: 6 bytes became 1500006."])
        #expect(nodes["small"]?.size == 1_500_006 && (nodes["small"]?.content?.count ?? 0) > 0)
    }

    @Test func `a large file that grows is read to its end`() throws {
        let path = scratch.path("src/large")
        let nodes = try archive(Self.reading("large", from: 1)) { _ in Self.append(2_000_000, to: path) }
        #expect(fixture.observer.messages == ["\(path): It changed while it was read: 3000000 bytes became 5000000."])
        #expect(nodes["large"]?.size == 5_000_000)
    }

    @Test(arguments: ["small", "large"])
    func `a file that shrinks is kept as far as it was`(name: String) throws {
        let path = scratch.path("src/\(name)")
        let nodes = try archive(Self.reading(name, from: name == "large" ? 1 : 0)) { _ in truncate(path, 3) }
        let size = try #require(nodes[name]?.size)
        #expect(name == "small" ? size == 3 : size < 3_000_000)
        #expect(
            fixture.observer.messages == [
                "\(path): It changed while it was read: \(name == "small" ? 6 : 3_000_000) bytes became \(size)."
            ])
    }

    @Test(arguments: ["small", "large"])
    func `a file that becomes unreadable while it is read is left out`(name: String) throws {
        let nodes = try archive(Self.reading(name, from: name == "large" ? 1 : 0)) { moment in
            // A descriptor that only writes gives what a broken disk gives: an error instead of bytes.
            guard case .reading(_, let descriptor, _) = moment else { return }
            let broken = clinux_open("/dev/null", O_WRONLY | O_CLOEXEC, 0)
            dup2(broken, descriptor)
            close(broken)
        }
        #expect(
            fixture.observer.messages == ["\(scratch.path("src/\(name)")): It cannot be read: Bad file descriptor."])
        #expect(nodes[name] == nil && nodes["rest"] != nil)
    }

    @Test func `a hole that shrinks or is filled while it is passed over is kept as it was read`() throws {
        let path = scratch.path("src/large")
        #expect(try ShellScript("truncate -s 40M src/large").run(in: scratch)?.status == 0)
        let nodes = try archive(Self.reading("large", from: 3_000_000)) { _ in truncate(path, 5_000_000) }
        let size = try #require(nodes["large"]?.size)
        #expect(size >= 3_000_000 && size <= 41_943_040)
        #expect(nodes["rest"]?.size == 5)
    }

    private static func append(_ count: Int, to path: String) {
        let descriptor = clinux_open(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0)
        var bytes = [UInt8](repeating: 0x61, count: count)
        // Not a chunk of one byte over and over: that has a cut in each place or in none.
        for index in stride(from: 0, to: count, by: 3) { bytes[index] = UInt8(truncatingIfNeeded: index / 3) }
        _ = write(descriptor, bytes, count)
        close(descriptor)
    }

    @Test(.enabled(if: Capability.isRoot, "needs root to become somebody else"))
    func `directories and files that may not be read are told and left out`() throws {
        let made = try ShellScript(
            """
            chmod 755 . src; mkdir src/closed src/unlisted src/open; echo x > src/closed/x; echo x > src/unlisted/x; echo x > src/open/x
            chmod 700 src/closed; chmod 711 src/unlisted; chmod 600 src/small
            """
        ).run(in: scratch)
        #expect(made?.status == 0)
        #expect(try ShellScript("chmod 711 .; chmod 777 spool").run(in: fixture.directory)?.status == 0)
        let node = try #require(try FileSystemIdentity.asNobody { try fixture.backup(scratch.path("src")).node })
        #expect(
            fixture.observer.messages.sorted() == [
                "\(scratch.path("src/closed")): It cannot be opened: Permission denied.",
                "\(scratch.path("src/small")): It cannot be opened: Permission denied.",
                "\(scratch.path("src/unlisted")): It cannot be opened: Permission denied.",
            ])
        #expect(try fixture.paths(node) == ["large", "open", "open/x", "rest"])
        #expect(try fixture.check(readData: true).errors == [])
    }

    @Test func `a link at the end of a root is followed to the file behind it`() throws {
        let made = try ShellScript(
            "ln -s src/rest one; ln -s \(scratch.path)/one two; ln -s gone lost; ln -s loop loop; ln -s src all"
        ).run(in: scratch)
        #expect(made?.status == 0)
        for name in ["one", "two"] {
            let node = try fixture.backup(scratch.path(name)).node
            #expect(node.kind == .file && node.size == 5 && node.name == Array("data".utf8))
        }
        #expect(try fixture.backup(scratch.path("all")).node.kind == .dir)
        for (name, reason) in [
            ("lost", "No such file or directory"), ("loop", "Too many levels of symbolic links"),
        ] {
            let error = #expect(throws: ArchiveError.self) { try fixture.backup(scratch.path(name)) }
            #expect(error?.message == "\(scratch.path(name)) cannot be read: \(reason).")
        }
    }
}
