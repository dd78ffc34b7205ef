import Archiving
import Glibc
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Repository

@Suite(.timeLimit(.minutes(2))) struct RestoreTests {
    let fixture: MemoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("restore")
        try fixture.initialize()
        scratch = try TemporaryDirectory("restore-source")
    }

    /// Makes a source, archives it, and gives its node.
    private func archive(_ script: String) throws -> TreeNode {
        let made = try ShellScript("mkdir src; cd src\n" + script).run(in: scratch)
        #expect(made?.status == 0, "\(made?.output ?? "")")
        let node = try fixture.backup(scratch.path("src")).node
        #expect(fixture.observer.messages == [])
        return node
    }

    private func sh(_ script: String) throws -> String {
        let result = try #require(try ShellScript(script).run(in: scratch))
        #expect(result.status == 0, "\(result.output)")
        return result.output
    }

    @Test func `links in the way are replaced, never followed`() throws {
        let node = try archive(
            "mkdir -p dir/sub; echo new > dir/f; echo new > file; echo new > dir/sub/g; ln -s x link")
        _ = try sh(
            """
            mkdir outside target; echo old > outside/f; echo old > outside/victim
            ln -s ../outside target/dir; ln -s ../outside/victim target/file; ln -s ../outside target/link
            touch -d 2001-01-01 outside/victim outside/f outside; chmod 640 outside/victim
            """)
        let before = try sh("find outside -printf '%p %m %T@ %s\\n' | sort")
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("find outside -printf '%p %m %T@ %s\\n' | sort") == before)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
    }

    @Test func `an existing tree is filled, what is not in the snapshot stays`() throws {
        let node = try archive("mkdir d; echo new > d/f; echo new > g; ln g h; mkfifo p")
        _ = try sh(
            "mkdir -p target/d target/own; echo old > target/d/f; echo mine > target/own/f; echo old > target/h; touch target/p"
        )
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(
            try sh("cat target/own/f target/d/f target/g target/h; stat -c %h target/g") == "mine\nnew\nnew\nnew\n2\n")
        #expect(
            try sh("rm -r target/own; rsync -aHAXnic --delete src/ target/").split(separator: "\n").allSatisfy {
                $0.hasPrefix(".d..t")
            })
    }

    @Test func `a directory where a file belongs is named and the rest restored`() throws {
        let node = try archive("echo a > a; echo b > b; ln -s x c")
        _ = try sh("mkdir -p target/a/full target/c")
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 2)
        let failed = fixture.observer.messages.map { String($0.split(separator: ":")[0]) }.sorted()
        #expect(failed == ["FAILED \(scratch.path("target"))/a", "FAILED \(scratch.path("target"))/c"])
        #expect(try sh("cat target/b; ls -d target/a/full") == "b\ntarget/a/full\n")
    }

    @Test func `a single file is restored to a path of its own`() throws {
        let node = try archive("head -c 2000000 /dev/urandom > large; touch -d 1999-12-31 large; chmod 604 large")
        let subtree = try #require(node.subtree)
        let file = try #require(try BlobLoader(fixture.open()).loadTree(subtree).first)
        try fixture.restore(file, to: scratch.path("elsewhere"))
        #expect(try sh("cmp src/large elsewhere; stat -c '%a %Y' elsewhere") == "604 946598400\n")
        let error = #expect(throws: ArchiveError.self) { try fixture.restore(node, to: scratch.path("no/parent")) }
        #expect(error?.code == .unwritable)
    }

    @Test func `sockets are archived and not made, all else of a special kind is`() throws {
        _ = try sh("mkdir src; cd src; mkfifo fifo; ln -s fifo link; echo f > file")
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listening) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = scratch.path("src/socket")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        let node = try fixture.backup(scratch.path("src")).node
        #expect(try fixture.paths(node) == ["fifo", "file", "link", "socket"])
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(FileTree.names(in: scratch.path("target")) == ["fifo", "file", "link"])
        #expect(fixture.observer.messages == [])
    }

    @Test func `ten thousand files in one directory and two hundred levels come back`() throws {
        let node = try archive(
            """
            mkdir many; (cd many; seq -f 'file-%05g' 10000 | xargs touch; for i in {1..300}; do echo $i > file-0$i; done)
            (for i in {1..200}; do mkdir level-$i; cd level-$i; echo $i > f; done)
            """)
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 0)
        #expect(statistics.files > 10_200 && statistics.directories == 202)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
    }

    @Test func `names are any bytes`() throws {
        let node = try archive(
            #"""
            python3 -c '
            import os
            for first in list(range(1, 256)):
                if first != 47:
                    open(bytes([120, first]), "wb").write(bytes([first]))
            os.symlink(b"\xff\xfe", b"link\xe2\x82")
            open(b"n" * 255, "wb").close()
            os.mkdir(b"\xf0\x9f"); open(b"\xf0\x9f/\n", "wb").close()
            '
            """#)
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
    }

    @Test(.enabled(if: Capability.isRoot, "needs root to give files away"))
    func `owners, set-user-id bits, times and attributes come back`() throws {
        let node = try archive(
            """
            echo s > suid; chown 1234:5678 suid; chmod 6755 suid; mkdir sticky; chown 77:88 sticky; chmod 3777 sticky
            echo r > readonly; setfattr -n user.note -v x readonly; setfacl -m u:1234:r readonly; chmod 440 readonly
            ln -s nowhere link; chown -h 1234:5678 link; touch -h -d '1950-06-07 08:09:10.987654321' link
            touch -d '2150-01-01 00:00:00.000000001' suid; setfattr -n trusted.secret -v y sticky || true
            touch -d '1901-12-14' readonly; touch -d '2005-05-05' sticky
            """)
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
        let format = "stat -c '%n %a %u:%g %y' suid sticky readonly link"
        #expect(try sh("cd target; \(format)") == sh("cd src; \(format)"))
        #expect(
            try sh("cd target; getfattr -d -m - -h suid sticky readonly")
                == sh("cd src; getfattr -d -m - -h suid sticky readonly"))
    }

    @Test(.enabled(if: Capability.isRoot, "needs root to become somebody else"))
    func `what somebody else may not set is told once with its count`() throws {
        let node = try archive(
            "for i in 1 2 3; do echo $i > $i; chmod 4755 $i; done; setfattr -n user.note -v x 1; chmod 444 1")
        _ = try sh("chmod 755 .; mkdir open; chmod 777 open")
        #expect(try ShellScript("chmod 711 .; chmod 777 spool").run(in: fixture.directory)?.status == 0)
        let target = scratch.path("open/target")
        let statistics = try #require(try FileSystemIdentity.asNobody { try fixture.restore(node, to: target) })
        #expect(statistics.files == 3 && statistics.failures == 0)
        #expect(fixture.observer.messages.count == 1, "\(fixture.observer.messages)")
        #expect(
            fixture.observer.messages[0].hasSuffix(
                "The owner cannot be set: Operation not permitted (and 3 more like this)."))
        // A set-user-id bit that root gave must not become one of whoever restores.
        #expect(
            try sh("stat -c %a open/target/2 open/target/1; getfattr --only-values -n user.note open/target/1")
                == "755\n444\nx")
    }

    @Test(.enabled(if: Capability.canMount, "needs the right to mount a tmpfs"))
    func `a full file system ends the restore and says so`() throws {
        let node = try archive(
            "head -c 6000000 /dev/urandom > large; for i in {1..50}; do head -c 40000 /dev/urandom > $i; done")
        _ = try sh("mkdir small && mount -t tmpfs -o size=2m none small")
        defer { _ = try? ShellScript("umount small").run(in: scratch) }
        let error = #expect(throws: ArchiveError.self) { try fixture.restore(node, to: scratch.path("small/target")) }
        #expect(error?.code == .noSpace)
        #expect(
            error?.message.hasSuffix("cannot be written: No space left on device.") == true,
            "\(String(describing: error))")
    }

    @Test func `holes stay holes`() throws {
        let node = try archive(
            """
            truncate -s 40M hole; printf x >> hole; truncate -s 3M tail; printf y | dd of=tail conv=notrunc status=none
            truncate -s 2M nothing; head -c 100000 /dev/zero > short
            """)
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
        let blocks = try sh("du -s --block-size=1K target | cut -f1")
        #expect((Int(blocks.filter(\.isNumber)) ?? 99_999) < 200)
    }

    @Test func `no name of a damaged file with hard links is left`() throws {
        let node = try archive("mkdir d; echo damaged > a; ln a b; ln a d/c; echo good > g; ln g h")
        let repository = try fixture.open()
        let place = try #require(
            repository.index.location(of: ObjectID(hashing: Array("damaged\n".utf8)), .data))
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 18)
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 3)
        let failed = fixture.observer.messages.map { String($0.split(separator: ":")[0]) }.sorted()
        #expect(failed == ["a", "b", "d/c"].map { "FAILED \(scratch.path("target"))/\($0)" })
        #expect(FileTree.names(in: scratch.path("target")) == ["d", "g", "h"])
        #expect(try sh("cat target/g target/h; ls target/d") == "good\ngood\n")
    }

    @Test func `a restore that is cancelled says so`() throws {
        let node = try archive("echo a > a")
        fixture.cancellation.cancel(.signal(2))
        let repository = try OpenRepository.open(fixture.store, password: RepositoryFixture.password)
        let restorer = Restorer(repository, observer: fixture.observer, cancellation: fixture.cancellation)
        #expect(throws: CancellationFailure(reason: .signal(2))) { try restorer.restore(node, to: scratch.path("t")) }
    }

    @Test func `a tree is removed without leaving it`() throws {
        _ = try sh(
            "mkdir -p doomed/a/b outside; echo x > outside/f; ln -s ../outside doomed/link; touch doomed/a/b/f; ln outside/f doomed/hard"
        )
        try FileTree.remove(scratch.path("doomed"))
        #expect(FileTree.kind(at: scratch.path("doomed")) == nil)
        #expect(try sh("cat outside/f") == "x\n")
        try FileTree.remove(scratch.path("doomed"))
    }
}
