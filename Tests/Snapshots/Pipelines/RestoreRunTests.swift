import Threads
import Catalog
import ObjectStorage
import Repository
import Glibc
import Pipelines
import RepositoryFormat
import SnapshotModel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct RestoreRunTests {
    /// A fixture with one snapshot of a volume with the file `file`, "old" then, and "new" by now.
    private func captured(
        hooks: [(event: String, command: String)] = [
            ("restore.pre", "echo stop >>$T"), ("restore.post", "echo start $(cat $D/data/file) >>$T"),
        ], dump: (dump: String, load: String?)? = nil
    ) throws -> PipelineFixture {
        let fixture = try PipelineFixture()
        try fixture.directory.write("old", to: "data/file")
        try fixture.register(hooks: hooks, dump: dump)
        #expect(try fixture.backup().exitCode == .done)
        try fixture.directory.write("new", to: "data/file")
        try fixture.directory.write("more", to: "data/more")
        return fixture
    }

    /// Damages the repository: every data pack is gone.
    private func losePacks(_ fixture: PipelineFixture) {
        for key in fixture.store.keys where key.hasPrefix("data/") { fixture.store.replace(key, with: nil) }
    }

    @Test func `the application is stopped, has its old data, and is started on it`() throws {
        let fixture = try captured(dump: ("echo rows", "cat >$D/loaded; echo load >>$T"))
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .done && outcome.run.state == .completed)
        #expect(try fixture.content("file") == "old")
        #expect(try fixture.content("more") == nil)
        #expect(try fixture.trace == ["stop", "load", "start old"])
        #expect(String(decoding: try fixture.directory.read("loaded"), as: UTF8.self) == "rows\n")
        #expect(try fixture.leftovers == [])
    }

    @Test func `data that is missing in the repository leaves everything untouched`() throws {
        let fixture = try captured()
        let (plan, repository) = try fixture.plan(.everything)
        losePacks(fixture)
        let recorder = try RunRecorder(fixture.host, kind: .restore, trigger: .manual)
        let outcome = RestoreRun(fixture.host, repository, plan, recorder: recorder).run()
        #expect(outcome.exitCode == .verificationFailed || outcome.exitCode == .failed)
        #expect(outcome.run.state == .failed)
        #expect(try fixture.content("file") == "new")
        #expect(try fixture.content("more") == "more")
        #expect(try fixture.trace == [])
        #expect(try fixture.leftovers == [])
    }

    @Test func `a dump that is missing in the repository is found before the application is stopped`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("restore.pre", "echo stop >>$T")], dump: ("echo rows", "cat >$D/loaded"))
        #expect(try fixture.backup().exitCode == .done)
        let (plan, repository) = try fixture.plan(.everything)
        losePacks(fixture)
        let recorder = try RunRecorder(fixture.host, kind: .restore, trigger: .manual)
        let outcome = RestoreRun(fixture.host, repository, plan, recorder: recorder).run()
        #expect(outcome.exitCode == .verificationFailed)
        #expect(try fixture.trace == [])
    }

    @Test func `a dump that cannot be loaded brings the old data back before the start`() throws {
        let fixture = try captured(dump: ("echo rows", "echo load $(cat $D/data/file) >>$T; exit 1"))
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .failed && outcome.run.state == .failed)
        #expect(try fixture.content("file") == "new")
        #expect(try fixture.content("more") == "more")
        #expect(try fixture.trace == ["stop", "load old", "start new"])
        #expect(try fixture.leftovers == [])
    }

    @Test func `a hook that cannot stop the application leaves its data alone`() throws {
        let fixture = try captured(hooks: [
            ("restore.pre", "exit 1"), ("restore.post", "echo start $(cat $D/data/file) >>$T"),
        ])
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .quiesceFailed)
        #expect(try fixture.content("file") == "new")
        #expect(try fixture.trace == ["start new"])
        #expect(try fixture.leftovers == [])
    }

    @Test func `an application that does not start keeps the old data beside the new`() throws {
        let fixture = try captured(hooks: [("restore.pre", "true"), ("restore.post", "exit 1")])
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .releaseNotConfirmed && outcome.run.state == .partiallyFailed)
        #expect(try fixture.content("file") == "old")
        let leftover = try #require(try fixture.leftovers.first)
        #expect(String(decoding: try fixture.directory.read("\(leftover)/file"), as: UTF8.self) == "new")
    }

    @Test func `a dump without load command is told and counts`() throws {
        let fixture = try captured(dump: ("echo rows", nil))
        #expect(
            try fixture.plan(.everything).0.notes.contains {
                $0.contains("has no 'load' command and will not be loaded")
            })
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .partial && outcome.run.state == .completedWithWarnings)
        #expect(try fixture.content("file") == "old")
    }

    @Test func `what the snapshot lacks is told and counts`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(dump: ("exit 1", "cat"))
        #expect(try fixture.backup().exitCode == .partial)
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .partial)
        #expect(outcome.run.counters.warnings == 1)
    }

    @Test func `an application that the host does not know is registered`() throws {
        let fixture = try captured()
        let name = try ApplicationName("app")
        try fixture.catalog.removeApplication(named: name)
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .done && outcome.registered == [name])
        #expect(try fixture.catalog.application(named: name).manifestText.contains("version: 1.2.3"))
    }

    @Test func `a manifest within a volume goes back with it`() throws {
        let fixture = try PipelineFixture()
        try fixture.directory.write("old", to: "data/compose.yaml")
        try fixture.register(manifests: "[\(fixture.data)/compose.yaml]")
        #expect(try fixture.backup().exitCode == .done)
        try fixture.directory.write("new", to: "data/compose.yaml")
        #expect(try fixture.restore().exitCode == .done)
        #expect(try fixture.content("compose.yaml") == "old")
        #expect(try fixture.leftovers == [])
    }

    @Test func `a restored console keeps its destination, its history and the run under way`() throws {
        let fixture = try PipelineFixture()
        try fixture.register()
        let full = try fixture.backup(nil)
        #expect(full.exitCode == .done)
        let later = try fixture.backup()
        try fixture.catalog.removeApplication(named: try ApplicationName("app"))
        let repository = try fixture.open()
        let snapshot = try repository.snapshots(cancellation: .init()).named(try #require(full.snapshot).hexadecimal)
        let plan = try RestorePlanning(try SnapshotBrowser(repository), snapshot, hostname: "test-host")
            .plan(RestoreRequest(scope: .console))
        let recorder = try RunRecorder(fixture.host, kind: .restore, trigger: .manual)
        let outcome = RestoreRun(fixture.host, repository, plan, recorder: recorder).run()
        #expect(outcome.exitCode == .done)
        #expect(try fixture.catalog.applications().map(\.name.text) == ["app"])
        let runs = try fixture.catalog.runs()
        #expect(runs.map(\.id) == [outcome.run.id, later.run.id, full.run.id])
        #expect(runs.map(\.state) == [.completed, .completed, .completed])
    }

    @Test func `files go below a target whose parents are made, and nothing else is touched`() throws {
        let fixture = try captured()
        let target = fixture.directory.path("a/b/c")
        let outcome = try fixture.restore(.path("/applications/app/volumes/data/file"), target: target)
        #expect(outcome.exitCode == .done)
        #expect(String(decoding: try fixture.directory.read("a/b/c/file"), as: UTF8.self) == "old")
        #expect(try fixture.content("file") == "new")
        #expect(try fixture.trace == [])
    }

    @Test func `what is excluded from snapshots is named before it is replaced`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(volumeOptions: ", exclude: [cache/]")
        #expect(try fixture.backup().exitCode == .done)
        #expect(
            try fixture.plan(.everything).0.notes.contains(
                "What is in \(fixture.data) now and excluded from snapshots (cache/) will be gone; copy it away before if "
                    + "it is needed."))
    }

    @Test(.enabled(if: getuid() == 0)) func `without room for both nothing is changed, and 25 says why`() throws {
        let fixture = try PipelineFixture()
        let mounted = try ShellScript("mount -t tmpfs -o size=2m tmpfs data").run(in: fixture.directory)
        // Containers may forbid it.
        guard mounted?.status == 0 else { return }
        defer { umount2(fixture.data, Int32(MNT_DETACH)) }
        #expect(try ShellScript("head -c 1500000 /dev/urandom >data/file").run(in: fixture.directory)?.status == 0)
        try fixture.register(hooks: [("restore.pre", "echo stop >>$T")])
        #expect(try fixture.backup().exitCode == .done)
        try fixture.directory.write("more", to: "data/more")
        let outcome = try fixture.restore()
        #expect(outcome.exitCode == .noSpace)
        #expect(outcome.message?.hasPrefix("There is no room for 'app' beside what is there") == true)
        #expect(try ShellScript("ls -A data").run(in: fixture.directory)?.output == "file\nmore\n")
        #expect(try fixture.trace == [])
    }

    @Test func `a snapshot of another host is restored with a note`() throws {
        let fixture = try captured()
        fixture.host.identity.hostname = "other"
        #expect(
            try fixture.plan(.everything).0.notes.first
                == "The snapshot was taken on the host 'test-host'; this one is 'other'.")
    }
}
