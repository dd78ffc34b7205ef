import Catalog
import JSON
import SnapshotModel
import TestSupport
import Testing

@Suite struct CatalogContentTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try TemporaryDirectory("catalog")
        catalog = try Catalog(path: directory.path("state/catalog.sqlite3"))
    }

    private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }

    private func runID(_ last: String) throws -> RunID { try RunID("01aryz6s41tsv4rrffq69g5fav".dropLast() + last) }

    @Test func `settings are set, replaced and removed`() throws {
        #expect(try catalog.setting("destination") == nil)
        try catalog.setSetting("destination", to: "main")
        try catalog.setSetting("other", to: "x")
        try catalog.setSetting("destination", to: "second")
        #expect(try catalog.setting("destination") == "second")
        #expect(try catalog.settings() == ["destination": "second", "other": "x"])
        try catalog.setSetting("destination", to: nil)
        #expect(try catalog.settings() == ["other": "x"])
    }

    @Test func `destinations keep their configuration and where the password is`() throws {
        let config: JSONObject = ["path": "/backup", "secret": ["secret": ["file": "/k"]], "n": 5]
        let main = try Destination(name: "main", plugin: "filesystem", config: config, password: .file("/etc/pw"))
        var other = try Destination(name: "a", plugin: "/opt/p", config: [:], password: .command(["pass", "x"]))
        try catalog.save(main, at: moment(1))
        try catalog.save(other, at: moment(2))
        other.plugin = "s3"
        try catalog.save(other, at: moment(3))
        #expect(try catalog.destinations() == [other, main])
        #expect(try catalog.destination(named: "main").config.names == ["path", "secret", "n"])
        #expect(try catalog.removeDestination(named: "a"))
        #expect(try !catalog.removeDestination(named: "a"))
        let failure = #expect(throws: CatalogError.self) { try catalog.destination(named: "a") }
        #expect(failure?.code == .notFound)
        #expect(failure?.description == "There is no destination 'a'")
    }

    @Test func `applications keep their place when they are registered again`() throws {
        let (one, two, three) = (try ApplicationName("one"), try ApplicationName("two"), try ApplicationName("three"))
        try catalog.register(one, manifestText: "1", sourcePath: "/one.yaml", at: moment(10))
        try catalog.register(two, manifestText: "2", sourcePath: "/two.yaml", at: moment(20))
        try catalog.register(three, manifestText: "3", sourcePath: "/three.yaml", at: moment(30))
        let again = try catalog.register(one, manifestText: "1b", sourcePath: "/new.yaml", at: moment(40))
        #expect(
            again
                == RegisteredApplication(
                    name: one, manifestText: "1b", sourcePath: "/new.yaml", registered: moment(10), updated: moment(40),
                    position: 0))
        #expect(try catalog.applications().map(\.name) == [one, two, three])
        try catalog.reorderApplications([three, one])
        #expect(try catalog.applications().map(\.name) == [three, one, two])
        let failure = #expect(throws: CatalogError.self) {
            try catalog.reorderApplications([two, ApplicationName("nobody")])
        }
        #expect(failure?.code == .notFound)
        #expect(try catalog.applications().map(\.name) == [three, one, two])
        #expect(try catalog.removeApplication(named: one))
        #expect(try !catalog.removeApplication(named: one))
        #expect(try catalog.optionalApplication(named: one) == nil)
        #expect(throws: CatalogError.self) { try catalog.application(named: one) }
        try catalog.register(one, manifestText: "1c", sourcePath: "/one.yaml", at: moment(50))
        #expect(try catalog.applications().map(\.name) == [three, two, one])
    }

    @Test func `the history gives every field back, newest first`() throws {
        let application = try ApplicationName("tracker")
        let full = Run(
            id: try runID("1"), kind: .fullSnapshot, trigger: .schedule, state: .planning, started: moment(5))
        var partial = Run(
            id: try runID("2"), kind: .partialSnapshot, application: application, trigger: .manual, state: .capturing,
            started: moment(6))
        let restore = Run(
            id: try runID("3"), kind: .restore, application: application, trigger: .manual, state: .failed,
            started: moment(7), finished: moment(8), exitCode: .noSpace, message: "no space")
        for run in [restore, full, partial] { try catalog.save(run) }
        #expect(try catalog.runs() == [restore, partial, full])
        #expect(try catalog.unfinishedRuns() == [full, partial])
        partial.state = .completedWithWarnings
        partial.finished = moment(9)
        partial.snapshot = "abc"
        partial.exitCode = .partial
        partial.counters = Run.Counters(bytes: 1 << 40, files: 3, warnings: 1)
        try catalog.save(partial)
        #expect(try catalog.run(partial.id) == partial)
        #expect(try catalog.unfinishedRuns() == [full])
        #expect(try catalog.runs(of: application) == [restore, partial])
        #expect(try catalog.runs(kinds: [.fullSnapshot, .partialSnapshot]) == [partial, full])
        #expect(try catalog.runs(of: application, kinds: [.restore], before: restore.id) == [])
        #expect(try catalog.runs(before: restore.id, limit: 1) == [partial])
        #expect(try catalog.runs(limit: -1) == [])
    }

    @Test func `a run is found by latest, by its id and by either end of it`() throws {
        #expect(throws: CatalogError.self) { try catalog.run(named: "latest") }
        for last in ["1", "2"] {
            try catalog.save(
                Run(id: try runID(last), kind: .check, trigger: .manual, state: .queued, started: moment(0)))
        }
        #expect(try catalog.run(named: "latest").id == runID("2"))
        #expect(try catalog.run(named: runID("1").text).id == runID("1"))
        #expect(try catalog.run(named: "fa1").id == runID("1"))
        let ambiguous = #expect(throws: CatalogError.self) { try catalog.run(named: "01ary") }
        #expect(ambiguous?.code == .ambiguous)
        for text in ["", "nothing", "%", "_"] {
            let failure = #expect(throws: CatalogError.self) { try catalog.run(named: text) }
            #expect(failure?.code == .notFound)
        }
    }
}
