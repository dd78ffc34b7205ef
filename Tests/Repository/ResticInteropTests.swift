import Archiving
import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Stock restic is the judge: what we write it reads, and the reverse.
@Suite struct ResticInteropTests {
    /// A tree with one of everything that a file system can hold.
    static let exoticTree = """
        mkdir -p src/dir/empty 'src/with space' && cd src
        echo hello > a.txt; : > empty; ln a.txt hard; ln -s a.txt link; ln -s /nowhere dangling; mkfifo fifo
        printf 'x' > $'odd"<>&\\n\\xff\\u00e9\\u2028\\t\\x01\\x7f'; printf 'y' > $'\\u200d\\u00ad'; printf z > 'back\\slash'
        head -c 700000 /dev/urandom > dir/medium; head -c 9000000 /dev/urandom > dir/large
        head -c 20000000 /dev/zero > zeros; truncate -s 5M sparse; printf end >> sparse
        chmod 4755 a.txt; chmod 1777 dir; touch -d '1965-03-04 05:06:07.123456789' dir/medium; touch -d 2040-01-01 empty
        setfattr -n user.note -v value a.txt; setfattr -n user.empty dir; setfacl -m u:1234:rw,g:77:r empty
        if [ "$(id -u)" = 0 ]; then mknod null c 1 3; mknod block b 7 200; chown 1234:5678 dir/medium; chown -h 42:43 link; fi
        """

    @Test func `a tree of everything passes restic check, restic restore and our restore`() throws {
        let fixture = try RepositoryFixture("exotic")
        _ = try fixture.initialize()
        let scratch = try TemporaryDirectory("exotic-source")
        #expect(try ShellScript(Self.exoticTree).run(in: scratch)?.status == 0)
        let source = scratch.path("src")
        let backup = try fixture.backup(source, as: "data")
        #expect(fixture.observer.messages == [])

        let check = try fixture.run("restic check --read-data")
        #expect(check.status == 0 && check.output.contains("no errors were found"), "\(check.output)")
        let theirs = try fixture.run(
            "restic restore latest --target \(scratch.path("theirs")) -q && rsync -aHAXnic --delete \(source)/ \(scratch.path("theirs"))/data/"
        )
        #expect(theirs == .init(status: 0, output: ""))

        let repository = try fixture.open()
        let restorer = Restorer(repository, observer: fixture.observer, cancellation: fixture.cancellation)
        try restorer.restore(backup.node, to: scratch.path("ours"))
        #expect(fixture.observer.messages == [])
        let ours = try fixture.run("rsync -aHAXnic --delete \(source)/ \(scratch.path("ours"))/")
        #expect(ours == .init(status: 0, output: ""))
        let sparse = try fixture.run("stat -c %b \(scratch.path("ours"))/sparse")
        #expect((Int(sparse.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 99) <= 8, "holes stay holes")
    }

    @Test func `the tree id of a directory equals the one that stock restic gives it`() throws {
        let fixture = try RepositoryFixture("tree-id")
        _ = try fixture.initialize()
        let scratch = try TemporaryDirectory("tree-id-source")
        #expect(try ShellScript(Self.exoticTree).run(in: scratch)?.status == 0)
        let backup = try fixture.backup(scratch.path("src"), as: "data")
        let theirs = try fixture.run(
            """
            cd \(scratch.path) && restic backup -q src && root=$(restic snapshots --json latest | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1]["tree"])')
            restic cat blob "$root" -q 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["nodes"][0]["subtree"])'
            """)
        #expect(theirs.output.trimmingCharacters(in: .whitespacesAndNewlines) == backup.node.subtree?.hexadecimal)
    }

    @Test func `a repository that restic made is checked, restored and extended by us`() throws {
        let fixture = try RepositoryFixture("theirs")
        let scratch = try TemporaryDirectory("theirs-source")
        #expect(try ShellScript(Self.exoticTree).run(in: scratch)?.status == 0)
        let made = try fixture.run("restic init -q && cd \(scratch.path) && restic backup -q src")
        #expect(made.status == 0, "\(made.output)")
        let repository = try fixture.open()
        let result = try RepositoryCheck(repository, readData: true, cancellation: fixture.cancellation).run()
        #expect(result.findings == [])
        #expect(result.snapshots == 1)

        let snapshot = try repository.snapshots(cancellation: fixture.cancellation).named("latest")
        let nodes = try BlobLoader(repository).loadTree(snapshot.record.tree)
        let node = try #require(nodes.first)
        try Restorer(repository, observer: fixture.observer, cancellation: fixture.cancellation)
            .restore(node, to: scratch.path("ours"))
        #expect(
            try fixture.run("rsync -aHAXnic --delete \(scratch.path("src"))/ \(scratch.path("ours"))/")
                == .init(status: 0, output: ""))

        // What they stored we do not store again, and everything is unchanged.
        let backup = try fixture.backup(scratch.path("src"), as: "src", previous: node)
        #expect(backup.statistics.filesUnmodified == backup.statistics.files)
        #expect(backup.node.subtree == node.subtree)
        #expect(try fixture.run("restic check --read-data -q").status == 0)
    }
}
