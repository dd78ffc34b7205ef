import PluginProtocol
package import SnapshotModel

/// Releases what a process that died has left held: the first thing that every command does.
package struct LeaseReplay: Sendable {
    /// What was found and done.
    package struct Report: Sendable {
        /// What was released for which run, and what is still out.
        package var runs: [(run: RunID, report: ReleaseReport)] = []
        /// Runs that may hold applications and whose process lives: they release by themselves.
        package var living: [RunID] = []
        /// Journals that could not be read or taken over, and why.
        package var failures: [(run: RunID, error: any Error)] = []

        /// True when nothing was left by anybody.
        package var isEmpty: Bool { runs.isEmpty && failures.isEmpty }
        /// The exit code of a command that is about nothing else; nil when everything was released.
        package var exitCode: ExitCode? {
            runs.contains { $0.report.exitCode != nil } || !failures.isEmpty ? .releaseNotConfirmed : nil
        }
    }

    private let journals: RunJournalDirectory
    private let caller: any LeaseHookCaller
    private let policy: ReleasePolicy

    /// Looks through `journals`.
    package init(journals: RunJournalDirectory, caller: any LeaseHookCaller, policy: ReleasePolicy = .starting) {
        self.journals = journals
        self.caller = caller
        self.policy = policy
    }

    /// For every run that may have left leases out and whose process is gone: takes its journal over, sends each
    /// outstanding post with the outcome `unknown`, the last pre first, and records it there.
    ///
    /// - Parameters:
    ///   - pairs: which leases. A restore that was killed is rolled back or finished before its application may start.
    ///   - everyJournal: whether all journals are read, not only those marked as holding; for `thaw --all`.
    /// - Throws: ``JournalError`` when the directory cannot be listed; whatever fails for one run is in the report.
    package func run(pairs: Set<Lease.Pair> = [.backup], everyJournal: Bool = false) throws -> Report {
        var report = Report()
        let runs = try everyJournal ? journals.runs() : journals.runsThatMayHold()
        for run in runs {
            do {
                try replay(run, pairs, &report)
            } catch let error as JournalError where error.code == .notFound {
                // The journal was pruned and its mark was left: nothing can be known any more.
                continue
            } catch {
                report.failures.append((run, error))
            }
        }
        return report
    }

    private func replay(_ run: RunID, _ pairs: Set<Lease.Pair>, _ report: inout Report) throws {
        guard let (journal, contents) = try journals.adopt(run) else {
            report.living.append(run)
            return
        }
        defer { journal.close() }
        let ledger = LeaseLedger(replaying: contents.entries)
        let leases = FreezeLeases(resuming: ledger, journal: journal, caller: caller, policy: policy)
        guard ledger.outstanding.contains(where: { pairs.contains($0.lease.pair) }) else {
            leases.clearHeldIfNothingIsOut()
            return
        }
        report.runs.append((run, leases.release(pairs: pairs, outcome: .unknown)))
    }
}
