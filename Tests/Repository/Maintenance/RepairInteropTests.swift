import Archiving
import Foundation
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// Stock restic is the judge of repairs: what it wrote and somebody damaged, we repair, and it finds nothing wrong.
@Suite(.timeLimit(.minutes(5))) struct RepairInteropTests {
    let fixture: RepositoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try RepositoryFixture("repair")
        scratch = try TemporaryDirectory("repair-source")
        // A cheap key of ours; everything else is restic's.
        _ = try fixture.initialize()
        let made = try fixture.run(
            """
            cd \(scratch.path) && mkdir -p src/dir && cd src
            for i in $(seq 1 40); do echo "file $i" > dir/f$i; done
            head -c 9000000 /dev/urandom > large; printf 'one' > one; cd ..
            restic backup -q src && echo two > src/two && head -c 3000000 /dev/urandom > src/more && restic backup -q src
            restic check --read-data -q
            """)
        #expect(made.status == 0, "\(made.output)")
    }

    private func check() throws -> RepositoryCheck.Result {
        try RepositoryCheck(
            try OpenRepository.open(DirectoryObjectStore(root: fixture.path), password: RepositoryFixture.password),
            readData: true, cancellation: fixture.cancellation
        ).run()
    }

    private func unloaded() throws -> OpenRepository {
        try OpenRepository.open(DirectoryObjectStore(root: fixture.path), password: RepositoryFixture.password)
    }

    private func path(_ pack: ObjectID) -> String { "\(fixture.path)/\(ObjectKind.pack.key(pack))" }

    private func place(_ content: String) throws -> BlobIndex.Location {
        try #require(fixture.open().index.location(of: ObjectID(hashing: Array(content.utf8)), .data))
    }

    private func repairIndex(readsAllPacks: Bool = false) throws {
        let repair = IndexRepair(try unloaded(), readsAllPacks: readsAllPacks, cancellation: fixture.cancellation)
        try repair.execute(repair.plan())
    }

    private func repairPacks(_ result: RepositoryCheck.Result) throws {
        let repair = PackRepair(try unloaded(), cancellation: fixture.cancellation)
        try repair.execute(repair.plan(result.brokenPacks.map(\.hexadecimal)))
    }

    private func repairSnapshots() throws -> SnapshotRepair.Plan {
        let repair = SnapshotRepair(try unloaded(), cancellation: fixture.cancellation)
        let plan = try repair.plan([])
        _ = try repair.execute(plan, forgets: true, programVersion: "test")
        return plan
    }

    private func expectResticIsContent() throws {
        let judged = try fixture.run("restic check --read-data")
        #expect(judged.status == 0 && judged.output.contains("no errors were found"), "\(judged.output)")
        #expect(try check().isClean)
    }

    @Test func `a flipped byte in a pack of restic's costs one file`() throws {
        let place = try place("one")
        let flipped = try fixture.run(
            """
            chmod u+w \(path(place.pack))
            python3 - <<'P'
            f = open('\(path(place.pack))', 'r+b'); f.seek(\(place.blob.offset + 18)); b = f.read(1)[0]
            f.seek(\(place.blob.offset + 18)); f.write(bytes([b ^ 1]))
            P
            ! restic check --read-data -q
            """)
        #expect(flipped.status == 0, "\(flipped.output)")
        let found = try check()
        #expect(found.brokenPacks == [place.pack])
        #expect(found.findings.first?.concern.paths == ["/src/one"])
        #expect(found.findings.first?.concern.snapshots.count == 2)
        try repairPacks(found)
        let plan = try repairSnapshots()
        #expect(plan.repairs.map { $0.changes.count } == [1, 1])
        try expectResticIsContent()
        let restored = try fixture.run(
            """
            cd \(scratch.path) && restic restore latest --target back -q
            test ! -e back/src/one && test "$(stat -c %s back/src/one.damaged)" = 0
            rm back/src/one.damaged src/one && rsync -aHXnic --omit-dir-times --delete src/ back/src/
            """)
        #expect(restored == .init(status: 0, output: ""))
    }

    @Test func `a lost pack, a lost index and a cut pack of restic's`() throws {
        let (one, two) = try (place("one"), place("two\n"))
        let broken = try fixture.run(
            """
            rm -f \(path(two.pack)); rm -f "$(ls -tr \(fixture.path)/index/* | head -n 1)"
            chmod u+w \(path(one.pack)); truncate -s \(one.blob.offset + one.blob.length + 100) \(path(one.pack))
            ! restic check -q
            """)
        #expect(broken.status == 0, "\(broken.output)")
        try repairIndex()
        var found = try check()
        if !found.brokenPacks.isEmpty { try repairPacks(found) }
        found = try check()
        #expect(found.brokenPacks == [], "\(found.findings.map(\.message))")
        _ = try repairSnapshots()
        try expectResticIsContent()
    }

    @Test func `all index files lost, and made again from all packs`() throws {
        let gone = try fixture.run("rm -f \(fixture.path)/index/*; ! restic check -q")
        #expect(gone.status == 0, "\(gone.output)")
        try repairIndex(readsAllPacks: true)
        try expectResticIsContent()
        let restored = try fixture.run(
            "cd \(scratch.path) && restic restore latest --target back -q && rsync -aHXnic --omit-dir-times --delete src/ back/src/"
        )
        #expect(restored == .init(status: 0, output: ""))
        // restic extends what we repaired.
        let more = try fixture.run("cd \(scratch.path) && echo more > src/new && restic backup -q src")
        #expect(more.status == 0, "\(more.output)")
        try expectResticIsContent()
    }

    @Test func `a damaged tree of restic's becomes an empty directory in every snapshot`() throws {
        let repository = try fixture.open()
        let snapshot = try repository.snapshots(cancellation: fixture.cancellation).named("latest")
        let loader = try BlobLoader(repository)
        let root = try #require(loader.loadTree(snapshot.record.tree).first?.subtree)
        let tree = try #require(loader.loadTree(root).first { $0.name == Array("dir".utf8) }?.subtree)
        let place = try #require(repository.index.location(of: tree, .tree))
        let bytes = try repository.store.get(ObjectKind.pack.key(place.pack), range: nil)
        var changed = bytes
        changed[Int(place.blob.offset) + 30] ^= 4
        _ = try fixture.run("rm -f \(path(place.pack))")
        try Data(changed).write(to: URL(fileURLWithPath: path(place.pack)))
        let found = try check()
        #expect(found.findings.contains { $0.kind == .damagedTree && $0.concern.paths == ["/src/dir"] })
        try repairPacks(found)
        let plan = try repairSnapshots()
        #expect(plan.repairs.flatMap { $0.changes.map(\.loss) } == [.directory, .directory])
        try expectResticIsContent()
        let listed = try fixture.run("restic ls latest -q")
        #expect(
            listed.output.contains("/src/dir.damaged\n") && !listed.output.contains("/src/dir/"), "\(listed.output)")
    }
}
