import Archiving
import CLinux
import Glibc
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Repository

/// What a restore does to what is there, and what it leaves when it cannot be completed.
@Suite(.timeLimit(.minutes(2))) struct RestoreSafetyTests {
    let fixture: MemoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("safety")
        try fixture.initialize()
        scratch = try TemporaryDirectory("safety-source")
    }

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

    /// Damages the stored blob of some content.
    private func damage(_ content: String) throws {
        let blob = ObjectID(hashing: Array(content.utf8))
        let place = try #require(try fixture.open().index.location(of: blob, .data))
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 18)
    }

    @Test func `what stands in the place of a damaged file stays`() throws {
        let node = try archive("mkdir d; echo damaged > d/a; ln d/a d/b; echo good > d/c; ln -s x d/l; : > d/e")
        try damage("damaged\n")
        _ = try sh(
            """
            mkdir -p target/d; cd target/d; for f in a b c l e; do echo old-$f > $f; touch -d 2001-01-01 $f; done
            ln c other; chmod 640 a
            """)
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 2)
        let failed = fixture.observer.messages.map { String($0.split(separator: ":")[0]) }.sorted()
        #expect(failed == ["a", "b"].map { "FAILED \(scratch.path("target"))/d/\($0)" })
        #expect(
            try sh("cd target/d; ls -A; cat a b c other e; readlink l; stat -c '%a %Y' a")
                == "a\nb\nc\ne\nl\nother\nold-a\nold-b\ngood\nold-c\nx\n640 978303600\n".replacing(
                    "978303600", with: sh("stat -c %Y target/d/other").filter(\.isNumber)))
    }

    @Test func `a truncated pack costs only the files behind the cut`() throws {
        let node = try archive("for i in $(seq 100 199); do head -c 30000 /dev/urandom > $i; done")
        let pack = try #require(
            fixture.keys(.pack).max {
                (try? fixture.memory.size(of: $0)) ?? 0 < (try? fixture.memory.size(of: $1)) ?? 0
            })
        let bytes = try fixture.memory.get(pack, range: nil)
        #expect(bytes.count > 3_000_000)
        fixture.memory.replace(pack, with: Array(bytes[..<2_000_000]))
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        // 30,032 bytes each: 66 of them lie before the cut.
        #expect(statistics.files == 66 && statistics.failures == 34)
        #expect(try sh("ls target | wc -l; for f in target/*; do cmp $f src/${f##*/}; done") == "66\n")
        #expect(fixture.observer.messages.allSatisfy { $0.contains("FAILED \(scratch.path("target"))/1") })
    }

    @Test func `a pack that is missing costs only its own files`() throws {
        let node = try archive("head -c 40000000 /dev/urandom > big; echo small > small; mkdir d; echo small > d/x")
        let place = try #require(
            try fixture.open().index.location(of: ObjectID(hashing: Array("small\n".utf8)), .data))
        for key in fixture.keys(.pack) where key != ObjectKind.pack.key(place.pack) {
            // Packs of trees stay.
            if try fixture.memory.size(of: key) > 1_000_000 { try fixture.memory.delete(key) }
        }
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 1 && statistics.files == 2, "\(fixture.observer.messages)")
        #expect(try sh("find target -type f | sort") == "target/d/x\ntarget/small\n")
    }

    @Test func `a tree that is missing costs its directory, and what stands in its place stays`() throws {
        let node = try archive("mkdir a b; echo a > a/f; echo b > b/f; touch -d 2001-01-01 a/f b/f")
        let nodes = try BlobLoader(fixture.open()).loadTree(try #require(node.subtree))
        let subtree = try #require(nodes.first?.subtree)
        let place = try #require(try fixture.open().index.location(of: subtree, .tree))
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 18)
        _ = try sh("mkdir target; echo file > target/a")
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 1)
        #expect(fixture.observer.messages.first?.contains("what stands in its place was left there") == true)
        #expect(try sh("cat target/a target/b/f") == "file\nb\n")
    }

    @Test func `a restore that ends early leaves no half files and nothing beside`() throws {
        let source = try archive(
            "head -c 60000000 /dev/urandom > big; for i in 1 2 3 4; do head -c 9000000 /dev/urandom > $i; done")
        let cancellation = fixture.cancellation
        let packs = Condition(0)
        let memory = fixture.memory
        let store = FaultyObjectStore(memory) { call in
            guard call.kind == .get, call.key.hasPrefix("data/") else { return }
            if packs.withLock({ count in
                count += 1; return count
            }) == 6 {
                cancellation.cancel(.signal(2))
            }
        }
        let repository = try OpenRepository.open(store, password: RepositoryFixture.password)
        try repository.loadIndex(cancellation: Cancellation())
        _ = try sh("mkdir -p taken; echo old > taken/big; echo old > taken/1")
        let restorer = Restorer(repository, observer: fixture.observer, cancellation: cancellation)
        #expect(throws: CancellationFailure(reason: .signal(2))) {
            try restorer.restore(source, to: scratch.path("taken"))
        }
        // What is there is whole: new, or what it was.
        let left = try sh("ls -A taken; for f in taken/*; do cmp -s $f src/${f##*/} || cat $f; done")
        for line in left.split(separator: "\n") { #expect(["big", "1", "2", "3", "4", "old"].contains(line)) }
        #expect(left.hasSuffix("old\n"))
    }

    @Test func `hard links between two roots of a snapshot come back as links`() throws {
        _ = try sh(
            """
            mkdir one two; echo shared > one/a; ln one/a two/b; : > one/empty; ln one/empty two/void
            head -c 3000000 /dev/urandom > two/large; ln two/large one/large; ln -s t one/l; ln one/l two/m
            """)
        let nodes = try ["one", "two"].map { try fixture.backup(scratch.path($0)).node }
        let links = RestoredLinks()
        _ = try sh("mkdir target")
        for (node, name) in zip(nodes, ["one", "two"]) {
            let restorer = try Restorer(
                fixture.open(), observer: fixture.observer, cancellation: fixture.cancellation, links: links)
            try restorer.restore(node, to: scratch.path("target/\(name)"))
            #expect(restorer.statistics.failures == 0)
        }
        #expect(fixture.observer.messages == [])
        #expect(try sh("rsync -aHAXnic --delete one two target/") == "")
        #expect(
            try sh(
                "cd target; stat -c %h one/a two/void one/large; [ one/a -ef two/b ] && [ one/large -ef two/large ] && [ one/empty -ef two/void ]; stat -c %h one/l"
            ) == "2\n2\n2\n2\n")
    }

    @Test(.enabled(if: Capability.canMount, "needs the right to mount a tmpfs"))
    func `a hard link onto another file system becomes a file of its own, with a warning`() throws {
        _ = try sh(
            """
            mkdir -p one two target/one target/two; echo shared > one/a; ln one/a two/b
            mount -t tmpfs none target/two
            """)
        defer { _ = try? ShellScript("umount target/two").run(in: scratch) }
        let nodes = try ["one", "two"].map { try fixture.backup(scratch.path($0)).node }
        let links = RestoredLinks()
        for (node, name) in zip(nodes, ["one", "two"]) {
            try Restorer(
                fixture.open(), observer: fixture.observer, cancellation: fixture.cancellation, links: links
            ).restore(node, to: scratch.path("target/\(name)"))
        }
        #expect(try sh("cat target/one/a target/two/b; stat -c %h target/two/b") == "shared\nshared\n1\n")
        #expect(
            fixture.observer.messages == [
                "\(scratch.path("target/two/b")): It was a hard link to \(scratch.path("target/one/a")), "
                    + "and is a file of its own on another file system."
            ])
    }

    @Test func `nothing is inherited from the directory above the target`() throws {
        let node = try archive(
            "mkdir -p d/e; echo x > d/e/f; echo y > g; chmod 600 g; mkfifo p; setfacl -m u:77:r d/e/f")
        _ = try sh(
            """
            mkdir above; setfacl -d -m u:1234:rwx,g:77:rwx above; chmod g+s above; mkdir above/there
            [ $(id -u) != 0 ] || chgrp 4321 above above/there
            """)
        for name in ["new", "there"] {
            #expect(try fixture.restore(node, to: scratch.path("above/\(name)")).failures == 0)
        }
        #expect(fixture.observer.messages == [])
        #expect(try sh("rsync -aHAXnic --delete src/ above/new/") == "")
        // The directory that was there keeps its default list, what was made in it has none of it.
        #expect(try sh("cd above/there; getfacl -cp d/e/f d/e d g") == sh("cd src; getfacl -cp d/e/f d/e d g"))
        #expect(try sh("getfacl -cpd above/there | grep -c 1234") == "1\n")
    }

    @Test func `every mode is what it was, whatever the umask`() throws {
        let node = try archive(
            """
            for m in 0 1 111 222 333 400 444 555 600 640 644 666 700 755 777 1644 2755 4755 6777 7777; do
                echo $m > f$m; chmod $m f$m; : > e$m; chmod $m e$m; mkdir d$m; mkfifo p$m; chmod $m p$m
            done
            head -c 5000000 /dev/urandom > large; chmod 444 large; chmod 777 .
            for m in 700 711 755 777 1777 2755 3775; do chmod $m d$m 2> /dev/null || { mkdir d$m; chmod $m d$m; }; done
            """)
        // A umask is the process's unless a thread takes one of its own.
        let scratch = scratch
        let fixture = fixture
        try WorkerThread(name: "umask") {
            #expect(clinux_unshare_umask() == 0)
            umask(0o27)
            let failures = try fixture.restore(node, to: scratch.path("target")).failures
            #expect(failures == 0)
            #expect(umask(0o27) == 0o27, "that of the caller stays")
        }.join()
        let list = "find . -printf '%p %m %u %g %s\\n' | sort"
        #expect(try sh("cd target; \(list)") == sh("cd src; \(list)"))
    }

    @Test func `an entry of a kind from the future is told and the rest restored`() throws {
        let repository = try fixture.open()
        let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
        let worker = try BlobSaver.Worker(saver)
        let tree = """
            {"nodes":[{"name":"a","type":"file","mtime":"2020-01-01T00:00:00Z","atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","content":[]},\
            {"name":"b","type":"hologram","mtime":"2020-01-01T00:00:00Z","atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","depth":{"x":[1,2]},"content":null},\
            {"name":"c","type":"file","mtime":"2020-01-01T00:00:00Z","atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","content":[]}],"future":true}\n
            """
        let id = try worker.save(Array(tree.utf8), .tree).id
        try saver.finish()
        let moment = Timestamp(seconds: 1_600_000_000)
        var node = TreeNode(name: Array("x".utf8), kind: .dir, modified: moment, accessed: moment, changed: moment)
        node.mode = GoFileMode.directory | 0o755
        node.subtree = id
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.files == 2 && statistics.failures == 0)
        #expect(FileTree.names(in: scratch.path("target")) == ["a", "c"])
        #expect(
            fixture.observer.messages.filter { !$0.contains("owner") } == [
                "\(scratch.path("target"))/b: It is of a kind that only newer programs know, and was left out."
            ])
    }

    @Test func `twenty thousand files in one directory are archived and come back`() throws {
        let node = try archive(
            "seq -f 'entry-%06.0f' 20000 | xargs touch; for i in $(seq 500); do echo $i > entry-$(printf %06d $((i * 37))); done"
        )
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.files == 20_000 && statistics.failures == 0)
        #expect(try sh("rsync -aHAXnic --delete src/ target/") == "")
        let again = try fixture.backup(scratch.path("src"), previous: node)
        #expect(again.statistics.filesUnmodified == 20_000 && again.node.subtree == node.subtree)
    }
}
