import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

@Suite struct SnapshotForgettingTests {
    private func snapshots(_ fixture: RepositoryFixture, _ tags: [[String]]) throws -> (
        OpenRepository, [OpenRepository.Snapshot]
    ) {
        let repository = try fixture.initialize()
        for (number, tags) in tags.enumerated() {
            _ = try repository.save(
                SnapshotRecord(
                    time: Timestamp(seconds: Int64(number)),
                    tree: try #require(ObjectID([UInt8](repeating: 7, count: 32))),
                    paths: ["/a"], hostname: "h", tags: tags))
        }
        return (repository, try repository.snapshots(cancellation: fixture.cancellation))
    }

    @Test func `a pinned snapshot stays whoever asks, and the others go`() throws {
        let fixture = try RepositoryFixture("forget-pinned")
        let (repository, all) = try snapshots(fixture, [[], ["pinned"], ["x"]])
        let result = try SnapshotForgetting(repository, cancellation: fixture.cancellation).remove(all)
        #expect(result.removed == [all[0].id, all[2].id])
        #expect(result.failures.map(\.id) == [all[1].id])
        #expect((result.failures.first?.error as? MaintenanceError)?.code == .refused)
        #expect(try repository.snapshots(cancellation: fixture.cancellation) == [all[1]])
    }

    @Test func `a snapshot that is gone counts as removed, one that is damaged stays`() throws {
        let fixture = try RepositoryFixture("forget-damaged")
        let (repository, all) = try snapshots(fixture, [[], []])
        try repository.store.delete(ObjectKind.snapshot.key(all[0].id))
        let key = ObjectKind.snapshot.key(all[1].id)
        var bytes = try fixture.directory.read("repository/\(key)")
        bytes[20] ^= 1
        try fixture.directory.write(bytes, to: "repository/\(key)")
        let result = try SnapshotForgetting(repository, cancellation: fixture.cancellation).remove(all)
        #expect(result.removed == [all[0].id])
        #expect((result.failures.first?.error as? RepositoryError)?.code == .damaged)
        #expect(try repository.ids(of: .snapshot) == [all[1].id])
    }

    @Test func `changed tags make a new object that names the first one for ever`() throws {
        let fixture = try RepositoryFixture("retag")
        let (repository, all) = try snapshots(fixture, [["a"]])
        var tagging = SnapshotTagging(repository, among: all)
        let first = try #require(try tagging.change(all[0], to: ["a", "b"]))
        #expect(first.new.record.original == all[0].id)
        let second = try #require(try tagging.change(first.new, to: ["b"]))
        #expect(second.new.record.original == all[0].id)
        #expect(try tagging.change(second.new, to: ["b"]) == nil)
        #expect(try repository.snapshots(cancellation: fixture.cancellation) == [second.new])
    }

    @Test func `an interrupted change of tags is finished without a second copy`() throws {
        let fixture = try RepositoryFixture("retag-interrupted")
        let (repository, all) = try snapshots(fixture, [["a"]])
        var record = all[0].record
        record.tags = ["a", "b"]
        record.original = all[0].id
        let made = try repository.save(record)
        let both = try repository.snapshots(cancellation: fixture.cancellation)
        var tagging = SnapshotTagging(repository, among: both)
        let change = try #require(try tagging.change(all[0], to: ["a", "b"]))
        #expect(change.new.id == made)
        #expect(try repository.ids(of: .snapshot) == [made])
    }

    @Test func `a change of tags adds once, removes all, and leaves fixed ones`() {
        let change = TagChange(added: ["x", "a"], removed: ["b", "fixed"])
        #expect(change.applied(to: ["fixed", "a", "b", "b"]) { $0 == "fixed" } == ["fixed", "a", "x"])
        #expect(TagChange(replacement: []).applied(to: ["fixed", "a"]) { $0 == "fixed" } == ["fixed"])
        #expect(TagChange(replacement: ["n"]).applied(to: ["a"]) == ["n"])
        #expect(TagChange().isEmpty && !TagChange(replacement: []).isEmpty)
    }
}
