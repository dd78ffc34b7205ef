import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// Repositories of format version 1, which stock restic made, are read, checked and restored, and never written.
@Suite(.timeLimit(.minutes(5))) struct VersionOneTests {
    let fixture: RepositoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try RepositoryFixture("version-one")
        scratch = try TemporaryDirectory("version-one-source")
        #expect(try ShellScript(ResticInteropTests.exoticTree).run(in: scratch)?.status == 0)
        let made = try fixture.run(
            """
            restic init -q --repository-version 1 && cd \(scratch.path) && restic backup -q src
            echo changed > src/a.txt && restic backup -q src && restic cat config -q
            """)
        #expect(made.status == 0 && made.output.contains("\"version\": 1"), "\(made.output)")
    }

    private func unloaded() throws -> OpenRepository {
        try OpenRepository.open(DirectoryObjectStore(root: fixture.path), password: RepositoryFixture.password)
    }

    @Test func `snapshots, trees and blobs are read as they are, uncompressed`() throws {
        let repository = try fixture.open()
        #expect(repository.config.version == 1)
        let snapshots = try repository.snapshots(cancellation: fixture.cancellation)
        #expect(snapshots.count == 2 && snapshots.allSatisfy { $0.record.paths == [scratch.path("src")] })
        let loader = try BlobLoader(repository)
        let nodes = try loader.loadTree(snapshots[1].record.tree)
        #expect(nodes.map(\.name) == [Array("src".utf8)])
        let files = try loader.loadTree(try #require(nodes[0].subtree))
        let content = try #require(files.first { $0.name == Array("a.txt".utf8) }?.content?.first)
        #expect(repository.index.location(of: content, .data)?.blob.uncompressedLength == nil)
        #expect(try loader.load(content, .data) == Array("changed\n".utf8))
    }

    @Test func `it is checked, and damage is named as in version 2`() throws {
        let result = try RepositoryCheck(unloaded(), readData: true, cancellation: fixture.cancellation).run()
        #expect(result.findings == [] && result.snapshots == 2 && result.packsRead == result.packs)
        let place = try #require(
            fixture.open().index.location(of: ObjectID(hashing: Array("changed\n".utf8)), .data))
        let gone = try fixture.run("rm -f \(fixture.path)/\(ObjectKind.pack.key(place.pack))")
        #expect(gone.status == 0)
        let damaged = try RepositoryCheck(unloaded(), readData: true, cancellation: fixture.cancellation).run()
        let finding = try #require(damaged.findings.first)
        #expect(finding.kind == .missingPack && finding.concern.snapshots.count == 1)
        #expect(Set(finding.concern.paths) == ["/src/a.txt", "/src/hard"], "\(finding.concern.paths)")
    }

    @Test func `it is restored with everything`() throws {
        let repository = try fixture.open()
        let snapshot = try repository.snapshots(cancellation: fixture.cancellation).named("latest")
        let node = try #require(BlobLoader(repository).loadTree(snapshot.record.tree).first)
        try Restorer(repository, observer: fixture.observer, cancellation: fixture.cancellation)
            .restore(node, to: scratch.path("ours"))
        #expect(fixture.observer.messages == [])
        #expect(
            try fixture.run("rsync -aHAXnic --delete \(scratch.path("src"))/ \(scratch.path("ours"))/")
                == .init(status: 0, output: ""))
    }

    @Test func `writing to it is refused with what to do, and changes nothing`() throws {
        let before = try fixture.run("cd \(fixture.path) && find . -type f | sort | xargs sha256sum")
        func expectRefusal(_ body: () throws -> Void) {
            let error = #expect(throws: RepositoryError.self) { try body() }
            #expect(error?.code == .readOnly)
            #expect(error?.message.contains("'restic migrate upgrade_repo_v2'") == true)
        }
        let repository = try fixture.open()
        let snapshot = try repository.snapshots(cancellation: fixture.cancellation).named("latest")
        expectRefusal { _ = try BlobSaver(repository, cancellation: fixture.cancellation) }
        expectRefusal { _ = try Archiver(repository, observer: fixture.observer, cancellation: fixture.cancellation) }
        expectRefusal { _ = try repository.save(snapshot.record) }
        expectRefusal {
            let repair = IndexRepair(try unloaded(), readsAllPacks: true, cancellation: fixture.cancellation)
            try repair.execute(repair.plan())
        }
        expectRefusal {
            let repair = PackRepair(try unloaded(), cancellation: fixture.cancellation)
            let pack = try #require(repository.index.packs.keys.first)
            try repair.execute(repair.plan([pack.hexadecimal]))
        }
        expectRefusal {
            let repair = SnapshotRepair(try unloaded(), cancellation: fixture.cancellation)
            _ = try repair.execute(try repair.plan([]), forgets: true, programVersion: "test")
        }
        #expect(try fixture.run("cd \(fixture.path) && find . -type f | sort | xargs sha256sum") == before)
        // What the sentence says helps.
        let migrated = try fixture.run("restic migrate -q upgrade_repo_v2 && restic check -q")
        #expect(migrated.status == 0, "\(migrated.output)")
        #expect(try fixture.open().config.version == 2)
        try fixture.backup(scratch.path("src"), as: "src")
        #expect(try fixture.run("restic check --read-data -q").status == 0)
    }
}
