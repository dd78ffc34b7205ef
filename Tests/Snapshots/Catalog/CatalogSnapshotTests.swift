import Catalog
import SnapshotModel
import TestSupport
import Testing

@Suite struct CatalogSnapshotTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try TemporaryDirectory("catalog")
        catalog = try Catalog(path: directory.path("catalog.sqlite3"))
    }

    private func snapshot(_ prefix: String, at time: Int64, _ tags: [String], bytes: Int64? = nil) -> SnapshotSummary {
        SnapshotSummary(
            id: prefix + String(repeating: "0", count: 64 - prefix.count), time: Moment(milliseconds: time), tree: "t",
            host: "h", paths: ["/"], tags: tags, byteCount: bytes)
    }

    private var full: SnapshotSummary {
        snapshot(
            "aa11", at: 10,
            ["stillpoint", "kind:full", "app:one", "app:two", "consistency:crash", "trigger:manual"], bytes: 5)
    }
    private var partial: SnapshotSummary { snapshot("aa22", at: 20, ["stillpoint", "kind:partial", "app:two"]) }
    private var foreign: SnapshotSummary { snapshot("bb33", at: 30, ["home", "it's, odd"]) }

    @Test func `snapshots are listed newest first and filtered by kind and application`() throws {
        for snapshot in [partial, foreign, full] { try catalog.save(snapshot, in: "main") }
        try catalog.save(snapshot("cc", at: 99, []), in: "other")
        #expect(try catalog.snapshots(in: "main") == [foreign, partial, full])
        #expect(try catalog.snapshots(in: "main", kind: .full) == [full])
        #expect(try catalog.snapshots(in: "main", application: ApplicationName("two")) == [partial, full])
        #expect(try catalog.snapshots(in: "main", kind: .partial, application: ApplicationName("one")) == [])
        #expect(try catalog.snapshots(in: "nowhere") == [])
    }

    @Test func `a snapshot is found by latest, by its id and by its beginning`() throws {
        for snapshot in [partial, foreign, full] { try catalog.save(snapshot, in: "main") }
        #expect(try catalog.snapshot(named: "latest", in: "main") == partial)
        #expect(try catalog.snapshot(named: "latest", in: "main", application: ApplicationName("one")) == full)
        #expect(try catalog.snapshot(named: full.id, in: "main") == full)
        #expect(try catalog.snapshot(named: "b", in: "main") == foreign)
        let ambiguous = #expect(throws: CatalogError.self) { try catalog.snapshot(named: "aa", in: "main") }
        #expect(ambiguous?.code == .ambiguous)
        #expect(
            ambiguous?.description
                == "'aa' fits several snapshots: aa11000000000000, aa22000000000000; give more of the id")
        for text in ["", "zz", "%", full.id + "0"] {
            let failure = #expect(throws: CatalogError.self) { try catalog.snapshot(named: text, in: "main") }
            #expect(failure?.code == .notFound)
        }
        let none = #expect(throws: CatalogError.self) {
            try catalog.snapshot(named: "latest", in: "main", application: ApplicationName("three"))
        }
        #expect(none?.description == "There is no snapshot of application 'three' in the destination 'main'")
    }

    @Test func `a rebuild replaces what is known of one destination and keeps sizes`() throws {
        for snapshot in [partial, foreign, full] { try catalog.save(snapshot, in: "main") }
        try catalog.save(foreign, in: "other")
        var recounted = full
        recounted.byteCount = nil
        let new = snapshot("dd44", at: 40, ["stillpoint", "kind:partial", "app:one", "app:one"])
        try catalog.rebuildSnapshots(in: "main", from: [recounted, new])
        #expect(try catalog.snapshots(in: "main") == [new, full])
        #expect(try catalog.snapshots(in: "main", application: ApplicationName("two")) == [full])
        #expect(try catalog.snapshots(in: "other") == [foreign])
        try catalog.removeSnapshots([full.id, "unknown"], in: "main")
        #expect(try catalog.snapshots(in: "main") == [new])
        #expect(try catalog.snapshots(in: "main", application: ApplicationName("two")) == [])
        try catalog.checkIntegrity()
    }

    @Test func `saving a snapshot again replaces its applications`() throws {
        try catalog.save(full, in: "main")
        let changed = SnapshotSummary(
            id: full.id, time: full.time, tree: "t", host: "h", paths: [],
            tags: ["stillpoint", "kind:full", "app:three"])
        try catalog.save(changed, in: "main")
        #expect(try catalog.snapshots(in: "main") == [changed])
        #expect(try catalog.snapshots(in: "main", application: ApplicationName("one")) == [])
    }

    @Test func `removing a destination forgets its snapshots`() throws {
        try catalog.save(full, in: "main")
        try catalog.removeDestination(named: "main")
        #expect(try catalog.snapshots(in: "main") == [])
        try catalog.checkIntegrity()
    }
}
