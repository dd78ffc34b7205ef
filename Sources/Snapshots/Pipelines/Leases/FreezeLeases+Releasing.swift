package import PluginProtocol
package import SnapshotModel
import Threads

extension FreezeLeases {
    /// Sends the post of every lease that is out, the last pre first, until each is acknowledged or the policy's attempts
    /// are used up. Then the applications are not held again by this run.
    ///
    /// A post that fails does not keep the others waiting: each round tries every lease that is still out. A failing
    /// journal does not keep an application frozen. A lease whose pre is just being called is released by the thread that
    /// calls it, as soon as it is answered. Callers at the same time take turns.
    ///
    /// - Parameters:
    ///   - applications: nil for all; a group is released together, so that the order is the reverse of its pres.
    ///   - pairs: what is released; the other events of these applications stay as they are.
    ///   - outcome: how the work between pre and post ended.
    @discardableResult
    package func release(
        _ applications: Set<ApplicationName>? = nil, pairs: Set<Lease.Pair> = Set(Lease.Pair.allCases),
        outcome: HookOutcome
    ) -> ReleaseReport {
        close(applications, pairs, outcome)
        _ = state.wait { state -> Bool? in
            guard !state.isReleasing else { return nil }
            state.isReleasing = true
            return true
        }
        defer {
            clearHeldIfNothingIsOut()
            state.withLock { $0.isReleasing = false }
        }
        var report = ReleaseReport()
        for round in 0...policy.pauses.count {
            let leases = state.withLockQuietly { due(applications, pairs, in: $0).map(\.lease) }
            if leases.isEmpty { break }
            if round > 0 { policy.pause(policy.pauses[round - 1]) }
            for lease in leases { attempt(lease, outcome, &report) }
        }
        report.unconfirmed = state.withLockQuietly { state in
            due(applications, pairs, in: state).map {
                ReleaseReport.Unconfirmed(lease: $0.lease, reason: $0.lastFailure ?? "it was not answered")
            }
        }
        return report
    }

    /// From now on nothing of this is held any more. The first word about an outcome counts.
    private func close(_ applications: Set<ApplicationName>?, _ pairs: Set<Lease.Pair>, _ outcome: HookOutcome) {
        state.withLock { state in
            for pair in pairs {
                for application in applications.map({ $0.map(Optional.some) }) ?? [nil] {
                    let key = Closed(application: application, pair: pair)
                    state.closed[key] = state.closed[key] ?? outcome
                }
            }
        }
    }

    private func due(
        _ applications: Set<ApplicationName>?, _ pairs: Set<Lease.Pair>, in state: State
    ) -> [LeaseLedger.Entry] {
        state.ledger.outstanding.filter { entry in
            !state.callingPre.contains(entry.lease.id) && pairs.contains(entry.lease.pair)
                && (applications?.contains(entry.lease.application) ?? true)
        }
    }

    private func attempt(_ lease: Lease, _ outcome: HookOutcome, _ report: inout ReleaseReport) {
        do {
            let actions = try state.withLock { try $0.ledger.releaseAttempted(lease.id, outcome: outcome) }
            for case .sendPost(let lease, let attempt, let outcome, let state) in actions {
                let parameters = HookRunParameters(
                    event: lease.pair.post, run: lease.pairing, attempt: attempt,
                    deadlineMilliseconds: lease.postTimeout.wholeMilliseconds, outcome: outcome, state: state,
                    context: lease.context)
                _ = try caller.call(lease, parameters, timeout: lease.postTimeout)
            }
            note(&report) { try $0.released(lease.id) }
            report.released.append(lease)
        } catch {
            note(&report) { try $0.releaseFailed(lease.id, message: "\(error)") }
        }
    }

    /// Books first, then the journal, whose failure is reported and holds nobody up.
    private func note(_ report: inout ReleaseReport, _ input: (inout LeaseLedger) throws -> [LeaseLedger.Action]) {
        do { try record(try state.withLock { try input(&$0.ledger) }) } catch {
            if report.journalFailure == nil { report.journalFailure = error }
        }
    }
}
