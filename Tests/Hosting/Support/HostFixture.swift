import Glibc
import JSON
import Logging
import PluginHost
import PluginProtocol
import Synchronization
import TestSupport
import Testing
import Threads

/// A plugin host over a temporary directory, with a record of what its plugins did.
final class HostFixture: Sendable {
    let directory: TemporaryDirectory
    let supervisor: PluginSupervisor
    let record: EventRecord

    init(_ deadlines: PluginDeadlines = .brief, environmentPassed: [String] = []) throws {
        let directory = try TemporaryDirectory("hosting")
        let record = EventRecord()
        self.directory = directory
        self.record = record
        supervisor = try PluginSupervisor(
            configuration: PluginHostConfiguration(
                spoolRoot: directory.path("spool"), hostVersion: "0.0-test", environmentPassed: environmentPassed,
                deadlines: deadlines, onEvent: { record.add($0) }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Writes an executable file.
    func plugin(_ script: String, kind: PluginKind = .storage, arguments: [String] = []) throws -> PluginReference {
        let path = directory.path("plugin")
        unlink(path)
        write(Array(script.utf8), to: path, mode: 0o755)
        return PluginReference(kind: kind, name: "hostile", executable: path, arguments: arguments)
    }

    /// Close-on-exec matters: a child of another test that inherits the descriptor would keep the file from being
    /// executed ("Text file busy").
    private func write(_ bytes: [UInt8], to path: String, mode: mode_t) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        #expect(file >= 0)
        #expect(bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count)
        close(file)
    }

    /// Starts and opens a storage plugin.
    func storage(
        _ script: String, arguments: [String] = [], config: JSONObject = [:],
        cancellation: Cancellation = Cancellation()
    ) throws -> StoragePlugin {
        try supervisor.openStorage(
            try plugin(script, arguments: arguments), instance: "test", mode: .readWrite, config: config,
            cancellation: cancellation)
    }

    /// Puts bytes as an object.
    @discardableResult
    func put(_ bytes: [UInt8], as key: String, into plugin: StoragePlugin, ifAbsent: Bool = false) throws -> PutResult {
        let path = "\(plugin.spoolIn)/\(key.split(separator: "/").joined(separator: "_"))-\(bytes.count)"
        write(bytes, to: path, mode: 0o600)
        defer { unlink(path) }
        return try plugin.put(
            key: key, size: Int64(bytes.count), sha256: String(repeating: "0", count: 64), path: path,
            ifAbsent: ifAbsent)
    }

    /// Shuts the host down and checks that nothing is left: no process, no pipe to one, no file in the spool.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) throws {
        supervisor.shutdown()
        #expect(record.livingProcesses() == [], "processes are left", sourceLocation: sourceLocation)
        #expect(record.openDescriptors() == [], "descriptors are left", sourceLocation: sourceLocation)
        #expect(try directory.names().contains("spool"), sourceLocation: sourceLocation)
        let leftovers = try #require(try? names(in: directory.path("spool")))
        #expect(leftovers == [], "files are left in the spool", sourceLocation: sourceLocation)
        #expect(openFiles(below: directory.path("spool")) == [], sourceLocation: sourceLocation)
    }

    /// Runs `body` and returns the error of the plugin host that it has to throw.
    func failure<Result>(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
    ) throws -> PluginHostError {
        do { _ = try body() } catch let error as PluginHostError { return error }
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        throw MissingFailure()
    }

    private struct MissingFailure: Error {}

    private func names(in path: String) throws -> [String] {
        var names: [String] = []
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private func openFiles(below path: String) -> [String] {
        OpenDescriptors.targets().filter { $0.hasPrefix(path) }
    }
}

/// What is behind the descriptors of this process.
enum OpenDescriptors {
    /// One target for each descriptor: a path, `pipe:[123]`, `anon_inode:[eventfd]`.
    static func targets(of process: String = "self") -> [String] {
        guard let handle = opendir("/proc/\(process)/fd") else { return [] }
        defer { closedir(handle) }
        var targets: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = buffer.withUnsafeMutableBytes { bytes in
                readlink("/proc/\(process)/fd/\(name)", bytes.bindMemory(to: CChar.self).baseAddress!, bytes.count)
            }
            if count > 0 { targets.append(String(decoding: buffer[..<count], as: UTF8.self)) }
        }
        return targets
    }
}

/// What the plugins of one test did. Safe from all threads.
final class EventRecord: Sendable {
    private struct State {
        var events: [PluginEvent] = []
        var processes: [pid_t] = []
        var pipes: Set<String> = []
    }

    private let state = Condition(State())

    /// Takes an event; of a new process, the pipes to it are noted.
    func add(_ event: PluginEvent) {
        state.withLock { state in
            state.events.append(event)
            guard case .started(_, let pid) = event else { return }
            state.processes.append(pid)
            state.pipes.formUnion(OpenDescriptors.targets(of: "\(pid)").filter { $0.hasPrefix("pipe:") })
        }
    }

    var all: [PluginEvent] { state.withLockQuietly { $0.events } }
    var processes: [pid_t] { state.withLockQuietly { $0.processes } }

    /// Waits until an event arrives for which `match` gives something.
    func first<Found>(_ match: (PluginEvent) -> Found?) -> Found? {
        state.wait(timeout: .seconds(20)) { $0.events.lazy.compactMap(match).first }
    }

    /// Process groups of which somebody still lives, after what was killed had a moment to go.
    func livingProcesses() -> [pid_t] {
        let limit = ContinuousClock.now + .seconds(5)
        while true {
            let living = processes.filter { ProcessTable.hasLivingMember(group: $0) }
            if living.isEmpty || ContinuousClock.now > limit { return living }
            _ = poll(nil, 0, 10)
        }
    }

    /// Pipes to plugins that this process still holds.
    func openDescriptors() -> [String] {
        let pipes = state.withLockQuietly { $0.pipes }
        return OpenDescriptors.targets().filter { pipes.contains($0) }
    }
}

extension PluginDeadlines {
    /// Long where a good plugin on a busy machine may be slow, short where only a broken one is waited for.
    static var brief: PluginDeadlines {
        var deadlines = PluginDeadlines()
        deadlines.cancelGrace = .milliseconds(100)
        deadlines.exitAfterTerminate = .seconds(3)
        deadlines.drain = .milliseconds(300)
        deadlines.closedStreamGrace = .milliseconds(100)
        deadlines.restartDelays = [.milliseconds(5), .milliseconds(10)]
        deadlines.breakerDeaths = 50
        return deadlines
    }

    /// The same with some of them changed.
    static func brief(_ change: (inout PluginDeadlines) -> Void) -> PluginDeadlines {
        var deadlines = brief
        change(&deadlines)
        return deadlines
    }
}
