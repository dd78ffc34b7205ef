import Glibc
import JSON
import Pipelines
import PluginProtocol
import SnapshotModel
import Synchronization
import TestSupport
import Testing

/// The proof of the lease: the host dies at each of its steps, and the next start leaves nothing held.
@Suite struct KilledHostTests {
    /// How a host dies.
    enum Death: String, CaseIterable, Sendable {
        /// Before the step has any effect.
        case killedBefore
        /// After the step had its effect, before anybody learned of it.
        case killedAfter
        /// In the middle of a write.
        case killedWithin
        /// What was not yet durable is gone.
        case powerCut
    }

    struct Dead: Error {}

    /// A process that dies at a step; after that nothing that it does has an effect.
    final class Host: Sendable {
        private struct State {
            var step = 0
            var isDead = false
            var lossOfData: [@Sendable () -> Void] = []
            var lossOfNames: [@Sendable () -> Void] = []
        }

        private let state = Mutex(State())
        private let lastStep: Int
        let death: Death

        init(dyingAt step: Int, by death: Death) {
            lastStep = step
            self.death = death
        }

        var isDead: Bool { state.withLock(\.isDead) }

        /// One step with its effect; `partly` is what is left of it when the host dies within.
        func step<Result>(partly: () throws -> Void = {}, _ effect: () throws -> Result) throws -> Result {
            let isLast = try state.withLock { state -> Bool in
                if state.isDead { throw Dead() }
                state.step += 1
                return state.step > lastStep
            }
            guard isLast else { return try effect() }
            state.withLock { $0.isDead = true }
            switch death {
            case .killedBefore: break
            case .killedAfter: _ = try effect()
            case .killedWithin: try partly()
            case .powerCut:
                _ = try effect()
                let losses = state.withLock { $0.lossOfData.reversed() + $0.lossOfNames.reversed() }
                for loss in losses { loss() }
            }
            throw Dead()
        }

        /// What a power cut takes back until the file is synchronized.
        func onLossOfData(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.lossOfData.append(action) } }
        /// What a power cut takes back until the directory is synchronized.
        func onLossOfNames(_ action: @escaping @Sendable () -> Void) {
            state.withLock { $0.lossOfNames.append(action) }
        }
        func dataIsDurable() { state.withLock { $0.lossOfData = [] } }
        func namesAreDurable() { state.withLock { $0.lossOfNames = [] } }
    }

    /// The files of a host; what is not synchronized is lost by a power cut. fsync itself is left out, for speed.
    struct HostFiles: JournalFiles {
        let host: Host
        private let system = SystemJournalFiles()

        init(host: Host) { self.host = host }

        func create(_ path: String) throws -> Int32 {
            try host.step {
                let descriptor = try system.create(path)
                host.onLossOfNames { unlink(path) }
                return descriptor
            }
        }

        func open(_ path: String) throws -> Int32 { try host.step { try system.open(path) } }
        func lock(_ descriptor: Int32, _ path: String) throws -> Bool {
            try host.step { try system.lock(descriptor, path) }
        }

        func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws -> Int {
            let half = Array(bytes.prefix(bytes.count / 2))
            return try host.step(partly: { _ = try system.write(half, to: descriptor, path) }) {
                let end = lseek(descriptor, 0, SEEK_END)
                host.onLossOfData { ftruncate(descriptor, end) }
                return try system.write(bytes, to: descriptor, path)
            }
        }

        func truncate(_ descriptor: Int32, to byteCount: Int64, _ path: String) throws {
            try host.step { try system.truncate(descriptor, to: byteCount, path) }
        }

        // Only one file is written, so that one list of losses is enough.
        func synchronize(_ descriptor: Int32, _ path: String) throws { try host.step { host.dataIsDurable() } }
        func synchronizeDirectory(_ path: String) throws { try host.step { host.namesAreDurable() } }

        func rename(_ path: String, to newPath: String) throws {
            try host.step {
                try system.rename(path, to: newPath)
                host.onLossOfNames { unlink(newPath) }
            }
        }

        func remove(_ path: String) throws { try host.step { try system.remove(path) } }
        func close(_ descriptor: Int32) { system.close(descriptor) }
    }

    /// Calls the hooks of the world as long as the host lives.
    struct HostCaller: LeaseHookCaller {
        let host: Host
        let world: FrozenWorld
        func call(_ lease: Lease, _ parameters: HookRunParameters, timeout: Duration) throws -> HookRunResult {
            try host.step { try world.call(lease, parameters, timeout: timeout) }
        }
    }

    /// A full snapshot of two applications with three hooks.
    private func snapshot(_ journals: RunJournalDirectory, _ caller: any LeaseHookCaller) throws {
        let journal = try journals.create(JournalExample.run(), header: JournalExample.header)
        let leases = FreezeLeases(journal: journal, caller: caller, policy: ReleasePolicy(pauses: []) { _ in })
        for (application, plugins) in [("tracker", ["a", "b"]), ("wiki", ["a"])] {
            let name = try ApplicationName(application)
            try journal.append(.phase(.quiescing, application: name))
            for plugin in plugins {
                _ = try leases.acquire(
                    FreezeLeases.Request(
                        application: name, plugin: Lease.Plugin(name: plugin, executable: "/\(plugin)"), config: [:],
                        context: [:], timeout: .seconds(1)))
            }
            try journal.append(.phase(.capturing, application: name))
            leases.release([name], outcome: .ok)
        }
        try journal.append(.finished(.completed, exitCode: .done, message: nil), durable: true)
        journal.close()
    }

    @Test(arguments: Death.allCases)
    func `whatever step the host dies at, the next start leaves nothing held`(_ death: Death) throws {
        var steps = 0
        var deathsWhileHeld = 0
        while true {
            let directory = try TemporaryDirectory("killed")
            let host = Host(dyingAt: steps, by: death)
            let world = FrozenWorld()
            mkdir(directory.path("runs"), 0o700)
            let dying = RunJournalDirectory(
                path: directory.path("runs"), files: HostFiles(host: host), now: JournalExample.clock())
            do { try snapshot(dying, HostCaller(host: host, world: world)) } catch {
                #expect(host.isDead, "\(error)")
            }
            if !world.frozen.isEmpty { deathsWhileHeld += 1 }
            let callsBefore = world.calls.count

            let journals = RunJournalDirectory(path: directory.path("runs"))
            let report = try LeaseReplay(
                journals: journals, caller: world, policy: ReleasePolicy(pauses: []) { _ in }
            ).run()
            #expect(world.frozen.isEmpty, "\(death) at step \(steps): \(world.texts)")
            #expect(report.exitCode == nil, "\(death) at step \(steps): \(report.failures)")
            #expect(try journals.runsThatMayHold() == [])
            #expect(world.calls.dropFirst(callsBefore).allSatisfy { $0.parameters.event == .backupPost })
            if !host.isDead { break }
            steps += 1
        }
        #expect(steps > 40)
        #expect(deathsWhileHeld > 10)
    }
}
