import Threads
import Catalog
import Repository
import Glibc
import Pipelines
import RepositoryFormat
import SnapshotModel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct SnapshotRunTests {
    @Test func `a partial snapshot says what it holds, and holds the application while it reads`() throws {
        let fixture = try PipelineFixture()
        try fixture.directory.write("hello", to: "data/file")
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T"), ("backup.post", "echo post >>$T")],
            dump: ("echo dump >>$T; echo rows", "cat"))
        let outcome = try fixture.backup(tags: ["mine"])
        #expect(outcome.exitCode == .done)
        #expect(outcome.run.state == .completed)
        #expect(try fixture.trace == ["pre", "dump", "post"])
        let document = try #require(outcome.document)
        let application = try #require(document.applications.first)
        #expect(document.kind == .partial && document.warnings == [] && document.run == outcome.run.id)
        #expect(application.consistency == .application && application.isRestorable && application.version == "1.2.3")
        #expect(application.volumes == [.init(name: "data", path: fixture.data, entryCount: 2, byteCount: 5)])
        #expect(application.dumps.map(\.name) == ["db"] && application.dumps.first?.byteCount == 5)
        #expect(application.hooks.map(\.event) == ["backup.pre", "backup.post"])
        #expect(application.hooks.map(\.outcome) == [.done, .done])
        #expect(try #require(application.held) > .zero)
        let record = try fixture.snapshotRecord(outcome)
        #expect(
            record.tags == [
                "stillpoint", "kind:partial", "app:app", "trigger:manual", "consistency:application",
                "run:\(outcome.run.id)", "mine",
            ])
        #expect(record.paths == ["/applications/app"] && record.hostname == "test-host")
        #expect(try fixture.catalog.run(outcome.run.id).snapshot == outcome.snapshot?.hexadecimal)
    }

    @Test func `unchanged files are not read again`() throws {
        let fixture = try PipelineFixture()
        try fixture.directory.write("one", to: "data/one")
        try fixture.directory.write("two", to: "data/two")
        try fixture.register()
        _ = try fixture.backup()
        try fixture.directory.write("three", to: "data/three")
        let record = try fixture.snapshotRecord(try fixture.backup())
        #expect(record.summary?.filesUnmodified == 2)
    }

    @Test func `without a hook the consistency is that of a crash`() throws {
        let fixture = try PipelineFixture()
        try fixture.register()
        let application = try #require(try fixture.backup().document?.applications.first)
        #expect(application.consistency == .crash)
        #expect(application.consistencyReason == "no hook holds the application still")
    }

    @Test func `a hook that fails ends the run, and its application is released`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "echo pre >>$T; exit 3"), ("backup.post", "echo post >>$T")])
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .quiesceFailed && outcome.snapshot == nil)
        #expect(outcome.run.state == .failed)
        #expect(try fixture.trace == ["pre", "post"])
    }

    @Test func `a hook that may fail costs the consistency and no more`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T; exit 3"), ("backup.post", "echo post >>$T")],
            hookOptions: "      onError: warn\n")
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .partial && outcome.run.state == .completedWithWarnings)
        let application = try #require(outcome.document?.applications.first)
        #expect(application.consistency == .crash && application.consistencyReason == "the hook 'exec' failed")
        #expect(try fixture.trace == ["pre", "post"])
    }

    @Test func `a hook that says skip makes no snapshot, and that is no failure`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "exit 75"), ("backup.post", "echo post >>$T")])
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .skipped && outcome.snapshot == nil && outcome.run.state == .completed)
        #expect(try fixture.open().snapshots(cancellation: .init()).isEmpty)
    }

    @Test func `a hook for the end alone is called at the end`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.post", "echo post >>$T")])
        let outcome = try fixture.backup()
        #expect(try fixture.trace == ["post"])
        #expect(outcome.document?.consistency == .crash)
    }

    @Test func `when maxHold is over the application is released and the capture goes on`() throws {
        let fixture = try PipelineFixture()
        // The dump ends only when the application was released.
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T"), ("backup.post", "echo post >>$T; mkfifo $D/released || true")],
            dump: ("until [ -p $D/released ]; do :; done; echo rows", nil), maxHold: "200ms")
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .partial)
        let application = try #require(outcome.document?.applications.first)
        #expect(application.consistency == .crash)
        #expect(application.consistencyReason == "it was held longer than its maxHold of 200ms")
        #expect(application.dumps.first?.byteCount == 5)
        #expect(try fixture.trace.first == "pre" && fixture.trace.contains("post"))
    }

    @Test func `a hook that is slower than maxHold does not keep the capture from going on`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T; sleep 0.6"), ("backup.post", "echo post >>$T")], maxHold: "100ms")
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .partial && outcome.snapshot != nil)
        #expect(outcome.document?.consistency == .crash)
        #expect(try fixture.trace.contains("post"))
    }

    @Test func `a release that is not confirmed ends with 21, and the snapshot stays`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "true"), ("backup.post", "echo post >>$T; exit 1")])
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .releaseNotConfirmed && outcome.snapshot != nil)
        #expect(outcome.run.state == .partiallyFailed)
        #expect(try fixture.trace.count >= 3)
    }

    @Test func `a volume that vanishes is named, and the snapshot is partial`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "rmdir $D/data"), ("backup.post", "echo post >>$T")])
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .partial)
        let application = try #require(outcome.document?.applications.first)
        #expect(application.consistency == .partial && !application.isRestorable)
        #expect(outcome.document?.warnings.first?.path == fixture.data)
        #expect(try fixture.trace == ["post"])
    }

    @Test func `a dump that fails is named, and the snapshot is partial`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "true")], dump: ("echo half; exit 4", nil))
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .partial)
        let application = try #require(outcome.document?.applications.first)
        #expect(application.dumps == [] && !application.isRestorable && application.consistency == .partial)
    }

    @Test func `in a full snapshot one application that fails does not keep the others out`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(name: "good")
        try fixture.register(name: "lost", volume: fixture.directory.path("nowhere"))
        let outcome = try fixture.backup(nil)
        #expect(outcome.exitCode == .partial && outcome.run.state == .partiallyFailed)
        #expect(outcome.document?.applications.map(\.name.text) == ["good"])
        let record = try fixture.snapshotRecord(outcome)
        #expect(record.tags.contains("kind:full") && record.tags.contains("consistency:partial"))
        #expect(record.paths == ["/stillpoint/full"])
    }

    @Test func `what is missing is found before anything is frozen`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T")], volume: fixture.directory.path("nowhere"))
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .failed && outcome.snapshot == nil)
        #expect(try fixture.trace == [])
    }

    @Test func `a cancelled run does not wait for its hook, and releases`() throws {
        let fixture = try PipelineFixture()
        let cancellation = fixture.host.cancellation
        fixture.observer = { entry in
            if case .hookOutput = entry.event { cancellation.cancel(.signal(2)) }
            if case .leaseIntended = entry.event { cancellation.cancel(.signal(2)) }
        }
        try fixture.register(
            hooks: [("backup.pre", "echo pre >>$T; sleep 60"), ("backup.post", "echo post >>$T")])
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .interrupted && outcome.run.state == .cancelled && outcome.snapshot == nil)
        #expect(try fixture.trace.last != "pre")
    }

    @Test func `two runs do not work on one application`() throws {
        let fixture = try PipelineFixture()
        try fixture.register(hooks: [("backup.pre", "echo pre >>$T")])
        try fixture.directory.write("", to: "runs/app.lock")
        let descriptor = open(fixture.directory.path("runs/app.lock"), O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let outcome = try fixture.backup()
        #expect(outcome.exitCode == .locked && outcome.snapshot == nil)
        #expect(try fixture.trace == [])
    }
}
