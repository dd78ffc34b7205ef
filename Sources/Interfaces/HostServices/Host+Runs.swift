import Catalog
package import Pipelines
package import SnapshotModel

/// What releasing the leftovers of dead runs came to.
package struct ThawReport: Sendable {
    /// How many leases were released.
    package var released = 0
    /// A line for each release.
    package var lines: [String] = []
    /// What may still be held, or could not be found out: somebody has to look.
    package var problems: [String] = []
}

extension Host {
    /// The journals of all runs.
    package var journals: RunJournalDirectory { RunJournalDirectory(path: paths.runs) }

    /// Releases what runs whose process is gone have left held; runs under way are left alone.
    ///
    /// - Parameter everyJournal: read all journals, not only those marked as holding.
    package func thaw(everyJournal: Bool) throws -> ThawReport {
        let caller = HookCaller(pipelines)
        defer { caller.close() }
        var report = ThawReport()
        // An application must not start on half of its data: what a dead restore has left is put right first.
        try endDeadRestores(caller, &report)
        let replay = try LeaseReplay(journals: journals, caller: caller).run(
            pairs: [.backup, .restore], everyJournal: everyJournal)
        for (run, result) in replay.runs {
            for lease in result.released {
                report.released += 1
                report.lines.append(
                    "released '\(lease.application)' through '\(lease.plugin.name)', which run \(run) had left held")
            }
            report.problems += result.unconfirmed.map(\.description)
        }
        report.problems += replay.failures.map { "The journal of run \($0.run) cannot be read: \($0.error)" }
        return report
    }

    private func endDeadRestores(_ caller: HookCaller, _ report: inout ThawReport) throws {
        let recovery = RestoreRecovery(journals: journals, caller: caller)
        for run in try catalog.unfinishedRuns() where run.kind == .restore {
            do {
                guard let result = try recovery.run(run.id) else { continue }
                report.lines += result.rolledBack.map {
                    "put the old data of '\($0)' back, which the killed restore \(run.id) had begun to replace"
                }
                report.lines += result.finished.map {
                    "finished the restore of '\($0)', whose data run \(run.id) had put in place before it was killed"
                }
                report.problems += result.problems
            } catch let error as JournalError where error.code == .notFound {
                continue
            }
        }
    }

    /// The same, as every command does it first: what happened as sentences.
    package func releaseLeftovers() throws -> [String] {
        let report = try thaw(everyJournal: false)
        try closeAbandonedRuns()
        return report.lines + report.problems
    }

    /// The newest runs, newest first.
    package func recentRuns(limit: Int) throws -> [Run] {
        try closeAbandonedRuns()
        return try catalog.runs(limit: limit)
    }

    /// Runs whose process died are failed runs, and their rows must say so.
    private func closeAbandonedRuns() throws {
        for run in try catalog.unfinishedRuns() {
            var run = run
            let summary: JournalSummary
            do { summary = try journals.summary(of: run.id) } catch let error as JournalError
                where error.code == .notFound
            {
                // The row came with a console from elsewhere: a run writes its journal before its row.
                run.state = .failed
                run.finished = run.started
                run.message = "How the run ended is not known: its journal is not on this host."
                try catalog.save(run)
                continue
            } catch {
                // A journal that cannot be read says nothing about its owner.
                continue
            }
            guard !summary.isOwnerAlive else { continue }
            run.state = summary.result ?? .failed
            run.finished = summary.last?.time ?? run.started
            run.exitCode = run.exitCode ?? (summary.result == nil ? .failed : summary.result?.exitCode)
            run.message = run.message ?? "The process of the run ended before the run did."
            try catalog.save(run)
        }
    }
}
