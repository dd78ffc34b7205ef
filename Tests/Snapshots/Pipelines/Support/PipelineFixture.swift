import Catalog
import Glibc
import Logging
import ObjectStorage
import Pipelines
import PluginHost
import Repository
import RepositoryCrypto
import RepositoryFormat
import SnapshotModel
import TestSupport
import Testing
import Threads

/// A host with a catalog, the package's own plugins, and a repository in memory; one application at a time.
///
/// The commands of its hooks and dumps write what they do into the file `trace`.
final class PipelineFixture {
    let directory: TemporaryDirectory
    let store: MemoryObjectStore
    let catalog: Catalog
    var host: PipelineHost
    private let supervisor: PluginSupervisor
    /// Called with each event of a run, on the thread where it happened.
    var observer: RunObserver = { _ in }

    init(hostname: String = "test-host") throws {
        directory = try TemporaryDirectory("pipelines")
        for name in ["spool", "objects", "scratch", "plugins", "data"] {
            guard mkdir(directory.path(name), 0o755) == 0 else { throw FixtureFailure(description: name) }
        }
        store = MemoryObjectStore(spoolDirectory: directory.path("objects"))
        catalog = try Catalog(path: directory.path("catalog.sqlite3"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        supervisor = try PluginSupervisor(
            configuration: PluginHostConfiguration(
                spoolRoot: directory.path("spool"), hostVersion: "0.0-test", environmentPassed: [], onEvent: { _ in }),
            logger: logger)
        try Self.install(["stillpoint-hook-exec", "stillpoint-source-command"], in: directory)
        host = PipelineHost(
            catalog: catalog, supervisor: supervisor,
            locator: PluginLocator(directories: [directory.path("plugins")]),
            journalDirectory: directory.path("runs"), scratchDirectory: directory.path("scratch"),
            identity: Identity(hostname: hostname, username: "tester", uid: getuid(), gid: getgid()),
            programVersion: "0.0-test", clock: Moment.now, cancellation: Cancellation(), logger: logger)
        host.releasePolicy = ReleasePolicy(pauses: [.zero, .zero], pause: { _ in })
        _ = try OpenRepository.initialize(
            store, password: Array("secret".utf8), identity: host.identity, now: Timestamp(seconds: 1_700_000_000),
            derivation: KeyDerivation(cost: 16, blockSize: 1, parallelism: 1))
    }

    deinit { supervisor.shutdown() }

    /// Copies of what `swift build` left beside the tests, which nobody else can change.
    private static func install(_ names: [String], in directory: TemporaryDirectory) throws {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        for name in names {
            let script = ShellScript("install -m 755 '\(folder)/\(name)' plugins/")
            guard try script.run(in: directory)?.status == 0 else { throw FixtureFailure(description: name) }
        }
    }

    // MARK: The application

    /// The volume `data` of the application.
    var data: String { directory.path("data") }

    /// Registers the application `app` with the volume `data`.
    ///
    /// - Parameters:
    ///   - hooks: a shell command for each event; `$T` is the trace.
    ///   - dump: shell commands of the dump `db`.
    func register(
        hooks: [(event: String, command: String)] = [], hookOptions: String = "",
        dump: (dump: String, load: String?)? = nil, maxHold: String? = nil, name: String = "app",
        volume: String? = nil, volumeOptions: String = "", manifests: String? = nil
    ) throws {
        var yaml = """
            apiVersion: stillpoint/v1
            kind: Application
            metadata: {name: \(name), version: 1.2.3}
            spec:
              volumes:
                - {name: data, path: \(volume ?? data)\(volumeOptions)}

            """
        if let manifests { yaml += "  manifests: \(manifests)\n" }
        if let maxHold { yaml += "  maxHold: \(maxHold)\n" }
        if let dump {
            yaml += "  dumps:\n    - name: db\n      plugin: command\n      config:\n"
            yaml += "        dump: {command: \(shell(dump.dump))}\n"
            if let load = dump.load { yaml += "        load: {command: \(shell(load))}\n" }
        }
        if !hooks.isEmpty {
            yaml += "  hooks:\n    - plugin: exec\n\(hookOptions)      events:\n"
            for hook in hooks { yaml += "        \(hook.event): {command: \(shell(hook.command))}\n" }
        }
        try catalog.register(
            ApplicationName(name), manifestText: yaml, sourcePath: directory.path("application.yaml"), at: .now())
    }

    private func shell(_ command: String) -> String {
        "[/bin/sh, -c, 'T=\(directory.path("trace")); D=\(directory.path); \(command)']"
    }

    /// The lines that commands have written.
    var trace: [String] {
        get throws {
            guard access(directory.path("trace"), F_OK) == 0 else { return [] }
            return String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    // MARK: Runs

    func open() throws -> OpenRepository {
        let repository = try OpenRepository.open(store, password: Array("secret".utf8))
        try repository.loadIndex(cancellation: Cancellation())
        return repository
    }

    func backup(_ application: String? = "app", tags: [String] = []) throws -> SnapshotOutcome {
        let name = try application.map { try ApplicationName($0) }
        let request = SnapshotRequest(application: name, tags: tags)
        let recorder = try RunRecorder(
            host, kind: RunKind(snapshot: request.kind), application: name, trigger: .manual, observer: observer)
        return SnapshotRun(host, try open(), request, recorder: recorder).run()
    }

    func plan(_ scope: RestoreRequest.Scope, target: String? = nil) throws -> (RestorePlan, OpenRepository) {
        let repository = try open()
        let snapshot = try repository.snapshots(cancellation: Cancellation()).named("latest")
        let planning = RestorePlanning(try SnapshotBrowser(repository), snapshot, hostname: host.identity.hostname)
        return (try planning.plan(RestoreRequest(scope: scope, target: target)), repository)
    }

    func restore(_ scope: RestoreRequest.Scope = .everything, target: String? = nil) throws -> RestoreOutcome {
        let (plan, repository) = try plan(scope, target: target)
        let recorder = try RunRecorder(host, kind: .restore, trigger: .manual, observer: observer)
        return RestoreRun(host, repository, plan, recorder: recorder).run()
    }

    /// What is left beside the volume by restores.
    var leftovers: [String] {
        get throws { try directory.names().filter { $0.hasPrefix(".stillpoint-") } }
    }

    /// The content of a file of the volume; nil when there is none.
    func content(_ name: String) throws -> String? {
        guard access(data + "/" + name, F_OK) == 0 else { return nil }
        return String(decoding: try directory.read("data/" + name), as: UTF8.self)
    }

    func snapshotRecord(_ outcome: SnapshotOutcome) throws -> SnapshotRecord {
        let id = try #require(outcome.snapshot)
        return try open().snapshots(cancellation: Cancellation()).named(id.hexadecimal).record
    }
}

/// Why a fixture could not be made.
struct FixtureFailure: Error, CustomStringConvertible { let description: String }
