import Archiving
import Pipelines
import SnapshotModel
import Synchronization
import Threads

/// Counters of a run that progress shows, whatever it does.
struct ArchiveCounts: Sendable {
    var entries: UInt64
    var bytes: UInt64
    /// Nil while unknown.
    var totalBytes: UInt64?

    init(_ statistics: ArchiveStatistics, totalBytes: UInt64? = nil) {
        entries = statistics.entries
        bytes = statistics.bytes
        self.totalBytes = totalBytes
    }

    init(_ statistics: RestoreStatistics) {
        entries = statistics.entries
        bytes = statistics.bytes
        totalBytes = statistics.totalBytes
    }
}

/// Shows a run on the terminal while it goes on: its events as lines, its counters as one line that is redrawn.
final class RunView: Sendable {
    private struct State {
        var counts: (@Sendable () -> ArchiveCounts)?
        var phase = ""
        var began = ContinuousClock.now
        var isEnded = false
    }

    private static let interval = Duration.milliseconds(200)

    private let terminal: Terminal
    private let state = Condition(State())
    private let thread = Mutex<WorkerThread?>(nil)

    init(_ terminal: Terminal) {
        self.terminal = terminal
        guard terminal.isInteractive else { return }
        let state = state
        let worker = WorkerThread(name: "progress") {
            while state.wait(timeout: Self.interval, { $0.isEnded ? () : nil }) == nil {
                let (counts, phase, began) = state.withLockQuietly { ($0.counts, $0.phase, $0.began) }
                terminal.progress(Self.line(counts?(), phase, ContinuousClock.now - began))
            }
        }
        thread.withLock { $0 = worker }
    }

    /// From now on the counters come from `counts`.
    func follow(_ counts: @escaping @Sendable () -> ArchiveCounts) {
        state.withLock { state in
            if state.counts == nil { state.began = ContinuousClock.now }
            state.counts = counts
        }
    }

    /// Shows an event as it is written to the journal.
    func show(_ entry: JournalEntry) {
        switch entry.event {
        case .phase(let phase, let application):
            state.withLock { $0.phase = application.map { "\($0): \(phase.title)" } ?? phase.title }
        case .warning(let warning):
            terminal.warning((warning.path.map { "\($0): " } ?? "") + warning.message)
        case .hookOutput(let output):
            terminal.remark(
                "[\(output.application.map { "\($0) " } ?? "")\(output.plugin)] \(Terminal.printable(output.line))")
        default: break
        }
    }

    /// Ends the redrawing.
    func end() {
        state.withLock { $0.isEnded = true }
        // The thread cannot fail: it only waits and draws.
        try? thread.withLock({ thread in
            defer { thread = nil }; return thread
        })?.join()
        terminal.progress(nil)
    }

    /// "storing  1204 entries  1.20 GiB  310.00 MiB/s  2.0 s left"
    static func line(_ counts: ArchiveCounts?, _ phase: String, _ elapsed: Duration) -> String {
        guard let counts else { return phase }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0.2 ? Double(counts.bytes) / seconds : 0
        var text = "\(phase)  \(counts.entries) entries  \(Units.bytes(Int64(clamping: counts.bytes)))"
        // An estimate that was passed is none.
        if let total = counts.totalBytes, total >= counts.bytes, total > 0 {
            text += " of \(Units.bytes(Int64(clamping: total)))"
        }
        if rate > 0 { text += "  \(Units.bytes(Int64(rate)))/s" }
        if let total = counts.totalBytes, total > counts.bytes, rate > 0 {
            let left = Double(total - counts.bytes) / rate
            if left < 1e6 { text += "  \(Units.time(.milliseconds(Int64(left * 1000)))) left" }
        }
        return text
    }
}
