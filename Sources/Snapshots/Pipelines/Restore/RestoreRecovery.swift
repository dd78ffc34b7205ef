import PluginProtocol
package import SnapshotModel

/// Ends a restore whose process was killed: an application whose new data was complete keeps it, any other gets its old
/// data back. Nothing of the run is left beside the volumes.
package struct RestoreRecovery: Sendable {
    /// What was done.
    package struct Report: Sendable {
        /// Applications that have their old data back.
        package var rolledBack: [ApplicationName] = []
        /// Applications whose restore was complete.
        package var finished: [ApplicationName] = []
        /// Sentences about what could not be put back or removed: somebody has to look.
        package var problems: [String] = []
    }

    private let journals: RunJournalDirectory
    private let caller: any LeaseHookCaller

    /// Looks into the journals of a directory.
    ///
    /// - Parameter caller: stops applications again, whose hooks let them go when the host died.
    package init(journals: RunJournalDirectory, caller: any LeaseHookCaller) {
        self.journals = journals
        self.caller = caller
    }

    /// Ends the restore of one run.
    ///
    /// - Returns: nil when the process of the run lives.
    /// - Throws: ``JournalError``; `notFound` when there is no journal.
    package func run(_ run: RunID) throws -> Report? {
        guard let (journal, contents) = try journals.adopt(run) else { return nil }
        defer { journal.close() }
        var report = Report()
        // A restore that came to its end has said what it left, and why.
        let isFinished = contents.entries.contains { if case .finished = $0.event { true } else { false } }
        guard !isFinished else { return report }
        let books = Self.books(contents.entries)
        for application in books.order {
            let isKept = books.kept.contains(application)
            var isWhole = true
            let isExchanged = books.records.contains { $0.application == application && $0.identity != nil }
            if !isKept, isExchanged { stopAgain(application, contents.entries) }
            for record in books.records.filter({ $0.application == application }).reversed() {
                let entry = StagedEntry(resuming: record)
                do {
                    if !isKept { try entry.rollBack() }
                } catch {
                    isWhole = false
                    report.problems.append(
                        "The restore of '\(application)' by run \(run) was killed and cannot be undone: \(error). The old "
                            + "data is in \(entry.oldPlace).")
                    continue
                }
                do {
                    try entry.discard()
                    try journal.append(.restoreCleared(number: record.number))
                } catch {
                    report.problems.append("A leftover of run \(run) could not be removed and may be deleted: \(error)")
                }
            }
            if isKept { report.finished.append(application) } else if isWhole { report.rolledBack.append(application) }
        }
        return report
    }

    /// Plugins release at end-of-file, so that the application may run on half of its new data by now.
    private func stopAgain(_ application: ApplicationName, _ entries: [JournalEntry]) {
        let leases = LeaseLedger(replaying: entries).outstanding.reversed().map(\.lease)
        for lease in leases where lease.application == application && lease.pair == .restore {
            let parameters = HookRunParameters(
                event: lease.pair.pre, run: lease.pairing, attempt: 2,
                deadlineMilliseconds: lease.preTimeout.wholeMilliseconds, context: lease.context)
            // An application that cannot be stopped may not run at all; its old data is put back in any case.
            _ = try? caller.call(lease, parameters, timeout: lease.preTimeout)
        }
    }

    private struct Books {
        var records: [StagedRecord] = []
        var kept: Set<ApplicationName> = []
        var order: [ApplicationName] = []
    }

    private static func books(_ entries: [JournalEntry]) -> Books {
        var books = Books()
        for entry in entries {
            switch entry.event {
            case .restoreStaged(let record): books.records.append(record)
            case .restoreSwapping(let record):
                books.records = books.records.map { $0.number == record.number ? record : $0 }
            case .restoreKept(let application): books.kept.insert(application)
            case .restoreCleared(let number): books.records.removeAll { $0.number == number }
            default: break
            }
        }
        for record in books.records where !books.order.contains(record.application) {
            books.order.append(record.application)
        }
        return books
    }
}
