import Archiving
import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Pruning and copying with stock restic as the judge, and in turns with it.
@Suite(.enabled(if: ShellScript.isInstalled("restic", "rsync"), "restic and rsync judge here"))
struct
    MaintenanceInteropTests
{
    /// Five states of a directory `src`, each with files that come, go and change; `states/N` keeps each.
    private static let history = """
        mkdir -p states src/sub/deep
        head -c 3000000 /dev/urandom > src/stays
        for i in $(seq 40); do head -c $((i * 2000)) /dev/urandom > src/sub/f$i; done
        for n in 1 2 3 4 5; do
            head -c 900000 /dev/urandom > src/own-$n; rm -f src/own-$((n - 2)) src/sub/f$n
            echo state $n > src/sub/deep/text; cp -a src states/$n
        done
        """

    private func source() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory("history")
        let result = try ShellScript(Self.history).run(in: directory)
        try #require(result?.status == 0, "\(result?.output ?? "")")
        return directory
    }

    private func prune(_ fixture: RepositoryFixture) throws -> PrunePlan {
        let repository = try OpenRepository.open(
            try DirectoryObjectStore(root: fixture.path), password: RepositoryFixture.password)
        var options = PruneOptions()
        options.maximumUnused = .bytes(0)
        let prune = Prune(repository, options: options, cancellation: fixture.cancellation)
        let plan = try prune.plan()
        try prune.execute(plan)
        return plan
    }

    private func expectRestic(
        _ fixture: RepositoryFixture, _ script: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try fixture.run(script)
        #expect(result.status == 0, "\(script)\n\(result.output)", sourceLocation: sourceLocation)
    }

    /// restic restores the state `number` as it was, under the name that it has in the snapshot.
    private static func restores(_ directory: TemporaryDirectory, _ id: String, _ number: Int, _ name: String) -> String
    {
        """
        rm -rf out && restic restore \(id) -q --target out && diff -r \(directory.path)/states/\(number) out/\(name)
        """
    }

    @Test func `we prune what restic backed up`() throws {
        let directory = try source()
        let fixture = try RepositoryFixture("prune-theirs")
        try expectRestic(
            fixture,
            """
            restic init -q; cd \(directory.path)/states
            for n in 1 2 3 4 5; do (cd $n && restic backup -q --tag state-$n .); done
            restic snapshots -q --json --tag state-2 --tag state-4 | grep -o '"short_id":"[0-9a-f]*"' > ids
            restic forget -q $(cut -d'"' -f4 ids)
            """)
        let plan = try prune(fixture)
        #expect(plan.statistics.snapshots == 3 && plan.statistics.freedByteCount > 0)
        try expectRestic(fixture, "restic check --read-data -q")
        for number in [1, 3, 5] {
            try expectRestic(
                fixture,
                "cd \(directory.path)\n" + Self.restores(directory, "latest --tag state-\(number)", number, "."))
        }
        // restic finds nothing left to do, and neither do we.
        let again = try fixture.run("restic prune --max-unused 0 -v")
        let total = again.output.split(separator: "\n").first { $0.hasPrefix("total prune:") }
        #expect(total?.contains(" 0 blobs") == true, "\(again.output)")
        #expect(try prune(fixture).isEmpty)
    }

    @Test func `restic prunes what we backed up, and both in turns`() throws {
        let directory = try source()
        let fixture = try RepositoryFixture("prune-ours")
        _ = try fixture.initialize()
        var nodes: [TreeNode] = []
        var ids: [ObjectID] = []
        for number in 1...5 {
            let backup = try fixture.backup(directory.path("states/\(number)"), as: "src")
            nodes.append(backup.node)
            ids.append(backup.id)
        }
        try expectRestic(fixture, "restic forget -q \(ids[1].short) && restic prune -q --max-unused 0")
        try expectRestic(fixture, "restic check --read-data -q; restic forget -q \(ids[3].short)")
        let plan = try prune(fixture)
        #expect(plan.statistics.snapshots == 3 && plan.statistics.freedByteCount > 0)
        try expectRestic(fixture, "restic check --read-data -q")
        for number in [1, 3, 5] {
            try expectRestic(
                fixture, "cd \(directory.path)\n" + Self.restores(directory, ids[number - 1].short, number, "src"))
            let target = directory.path("ours-\(number)")
            try Restorer(fixture.open(), observer: fixture.observer, cancellation: fixture.cancellation)
                .restore(nodes[number - 1], to: target)
            #expect(
                try fixture.run("rsync -aHAXnic --delete \(directory.path)/states/\(number)/ \(target)/")
                    == .init(status: 0, output: ""))
        }
        #expect(fixture.observer.messages == [])
        // Another backup of restic goes on from there.
        try expectRestic(fixture, "cd \(directory.path)/states/5 && restic backup -q . && restic check --read-data -q")
    }

    @Test func `we copy what restic made, and restic copies what we made, without copying anything twice`() throws {
        let directory = try source()
        let theirs = try RepositoryFixture("copy-theirs")
        try expectRestic(
            theirs,
            "restic init -q; cd \(directory.path)/states; for n in 1 2 3; do (cd $n && restic backup -q .); done")
        let source = try OpenRepository.open(
            try DirectoryObjectStore(root: theirs.path), password: RepositoryFixture.password)
        let ours = try RepositoryFixture("copy-ours")
        let target = try SnapshotCopy.makeTarget(
            try DirectoryObjectStore(root: ours.path), password: RepositoryFixture.password,
            identity: RepositoryFixture.identity, now: Timestamp(seconds: 1_700_000_000), like: source,
            derivation: RepositoryFixture.cheap)
        let copy = SnapshotCopy(from: source, to: target, cancellation: ours.cancellation)
        let snapshots = try source.snapshots(cancellation: ours.cancellation)
        let outcome = try copy.run(try copy.missing(of: snapshots).missing)
        #expect(outcome.copied.count == 3)
        try expectRestic(ours, "restic check --read-data -q")
        for (number, id) in outcome.copied.enumerated() {
            try expectRestic(
                ours, "cd \(directory.path)\n" + Self.restores(directory, id.target.short, number + 1, "."))
        }
        // restic sees that all of them were copied, and copies the one that is new, back and forth.
        let script = """
            export RESTIC_FROM_REPOSITORY=\(theirs.path) RESTIC_FROM_PASSWORD=secret
            echo secret > \(directory.path)/password
            restic copy --from-repo \(theirs.path) --from-password-file \(directory.path)/password -v
            """
        let again = try ours.run(script)
        #expect(
            again.status == 0 && again.output.components(separatedBy: "already copied").count == 4, "\(again.output)")

        _ = try ours.backup(directory.path("states/5"), as: "src")
        try expectRestic(
            theirs,
            """
            echo secret > \(directory.path)/password
            restic copy -q --from-repo \(ours.path) --from-password-file \(directory.path)/password
            restic check --read-data -q; test $(restic snapshots --json | grep -o '"short_id"' | wc -l) = 4
            """)
        let reopened = try theirs.open()
        let back = SnapshotCopy(from: try ours.open(), to: reopened, cancellation: ours.cancellation)
        #expect(try back.missing(of: ours.open().snapshots(cancellation: ours.cancellation)).missing == [])
    }

    @Test func `a repository of version 1 is copied into one of version 2`() throws {
        let directory = try source()
        let old = try RepositoryFixture("copy-version-1")
        try expectRestic(
            old, "restic init -q --repository-version 1; cd \(directory.path)/states/1 && restic backup -q .")
        let source = try OpenRepository.open(
            try DirectoryObjectStore(root: old.path), password: RepositoryFixture.password)
        let new = try RepositoryFixture("copy-version-2")
        let target = try SnapshotCopy.makeTarget(
            try DirectoryObjectStore(root: new.path), password: RepositoryFixture.password,
            identity: RepositoryFixture.identity, now: Timestamp(seconds: 1_700_000_000), like: source,
            derivation: RepositoryFixture.cheap)
        let copy = SnapshotCopy(from: source, to: target, cancellation: new.cancellation)
        _ = try copy.run(try source.snapshots(cancellation: new.cancellation))
        try expectRestic(new, "restic check --read-data -q")
        try expectRestic(new, "cd \(directory.path)\n" + Self.restores(directory, "latest", 1, "."))
        let prune = Prune(source, cancellation: old.cancellation)
        let plan = try prune.plan()
        let error = #expect(throws: RepositoryError.self) { try prune.execute(plan) }
        #expect(error?.code == .readOnly)
    }
}
