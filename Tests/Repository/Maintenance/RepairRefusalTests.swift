@testable import Maintenance
import ObjectStorage
import Repository
import TestSupport
import Testing

/// A repair never takes a store whose lists cannot be believed for one that has lost something.
@Suite struct RepairRefusalTests {
    let fixture: MemoryFixture

    init() throws {
        fixture = try MemoryFixture("repair-refusal")
        let source = try TemporaryDirectory("repair-refusal-source")
        try source.write("first", to: "src/a")
        try fixture.initialize()
        try fixture.backup(source.path("src"))
        try source.write("second", to: "src/b")
        try fixture.backup(source.path("src"))
    }

    /// What each repair plans on a store.
    private func plans(_ store: any ObjectStore) -> [(String, () throws -> Void)] {
        let cancellation = fixture.cancellation
        func open() throws -> OpenRepository {
            try OpenRepository.open(store, password: RepositoryFixture.password)
        }
        return [
            ("index", { _ = try IndexRepair(open(), readsAllPacks: false, cancellation: cancellation).plan() }),
            ("packs", { _ = try PackRepair(open(), cancellation: cancellation).plan(["0"]) }),
            ("snapshots", { _ = try SnapshotRepair(open(), cancellation: cancellation).plan([]) }),
        ]
    }

    @Test func `a place without any pack is not mounted rather than lost`() throws {
        for key in fixture.memory.keys where key.hasPrefix("data/") { try fixture.memory.delete(key) }
        for (name, plan) in plans(fixture.memory) {
            let error = #expect(throws: MaintenanceError.self, "\(name)") { try plan() }
            #expect(error?.code == .refused && error?.message.contains("no pack at all") == true, "\(name)")
        }
    }

    @Test func `a pack that is there and not listed is not lost`() throws {
        for (name, plan) in plans(ForgetfulStore(fixture.memory, prefix: "data/")) {
            let error = #expect(throws: MaintenanceError.self, "\(name)") { try plan() }
            #expect(error?.code == .refused && error?.message.contains("incomplete") == true, "\(name)")
        }
    }

    @Test func `a store that cannot say whether a pack is there ends the repair`() throws {
        let key = try #require(fixture.memory.keys.filter { $0.hasPrefix("data/") }.min())
        for (name, plan) in plans(ForgetfulStore(fixture.memory, prefix: "data/", unreachable: key)) {
            let error = #expect(throws: (any Error).self, "\(name)") { try plan() }
            let isKnown = (error as? MaintenanceError)?.code == .refused || error is ObjectStoreError
            #expect(isKnown, "\(name): \(String(describing: error))")
        }
    }
}
