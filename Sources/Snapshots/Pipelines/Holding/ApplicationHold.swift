import JSON
import PluginHost
import PluginProtocol
import SnapshotModel
import Synchronization
import Threads

/// Why an application is left alone although nothing failed: a hook said that this run is not needed.
struct ApplicationSkipped: Error {
    let reason: String
}

/// Holds one application through its hooks, at most for its `maxHold`, and lets it go.
final class ApplicationHold: Sendable {
    private struct State {
        var results: [SnapshotDocument.HookResult] = []
        var began: ContinuousClock.Instant?
        var held: Duration?
        var brokenReason: String?
        var timer: HoldTimer?
        var unconfirmed: [String] = []
        var isReleased = false
    }

    private let host: PipelineHost
    private let recorder: RunRecorder
    private let leases: FreezeLeases
    private let name: ApplicationName
    private let hooks: [PlannedHook]
    private let maxHold: Duration?
    private let pair: Lease.Pair
    private let state = Mutex(State())

    /// - Parameter pair: which events bracket the work.
    init(
        host: PipelineHost, recorder: RunRecorder, leases: FreezeLeases, caller: HookCaller, name: ApplicationName,
        hooks: [PlannedHook], maxHold: Duration?, pair: Lease.Pair
    ) {
        self.host = host
        self.recorder = recorder
        self.leases = leases
        self.name = name
        self.maxHold = maxHold
        self.pair = pair
        let events: (ApplicationManifest.Event, ApplicationManifest.Event) =
            pair == .backup ? (.backupPre, .backupPost) : (.restorePre, .restorePost)
        // A hook that acts on the post alone gets its pre as well: only what was sent a pre is owed a post.
        self.hooks = hooks.filter { $0.hook.receives(events.0) || $0.hook.receives(events.1) }
        isHeld = hooks.contains { $0.hook.receives(events.0) }
        for hook in hooks { caller.register(hook, of: name) }
    }

    /// True when there is a hook to hold the application.
    let isHeld: Bool
    /// What each hook did, in order.
    var results: [SnapshotDocument.HookResult] { state.withLock { $0.results } }
    /// How long it was held; nil before the release, and without hooks.
    var heldDuration: Duration? { state.withLock { $0.held } }
    /// Why it was not held all the time; nil when it was.
    var brokenReason: String? { state.withLock { $0.brokenReason } }
    /// Hooks whose release was not confirmed: sentences for people.
    var unconfirmed: [String] { state.withLock { $0.unconfirmed } }

    /// Brings the application to its still point.
    ///
    /// - Throws: ``PipelineError/Code/quiesceFailed``, ``ApplicationSkipped``; the caller releases in every case.
    func acquire(context: JSONObject) throws {
        for planned in hooks {
            try host.cancellation.check()
            if hasExpired { return }
            let started = host.clock()
            let clock = ContinuousClock.now
            startClock()
            var context = context
            context["application"] = .string(name.text)
            if let maxHold { context["max_hold_ms"] = .integer(maxHold.wholeMilliseconds) }
            do {
                let (_, answer) = try leases.acquire(
                    .init(
                        application: name, pair: pair,
                        plugin: .init(
                            name: planned.hook.plugin, executable: planned.reference.executable,
                            arguments: planned.reference.arguments), config: planned.hook.pluginConfig,
                        context: context,
                        timeout: planned.hook.timeout))
                try judge(answer, planned, started, clock)
            } catch let error as LeaseError {
                note(
                    planned, error.code == .failed && Self.isTimeout(error) ? .timedOut : .failed, started, clock,
                    "\(error)")
                // Its time ran out while the hook worked: it is released, and the capture goes on without the hold.
                if error.code == .releasing, hasExpired { return }
                try host.cancellation.check()
                let policy = planned.hook.onError(for: pair == .backup ? .backupPre : .restorePre)
                guard policy == .warn, error.code != .releasing else {
                    throw PipelineError(
                        .quiesceFailed, "The application '\(name)' could not be held still", cause: error)
                }
                recorder.warn("The application is captured without being held still: \(error)", application: name)
                state.withLock { $0.brokenReason = $0.brokenReason ?? "the hook '\(planned.hook.plugin)' failed" }
            }
        }
    }

    private func judge(
        _ answer: HookRunResult, _ planned: PlannedHook, _ started: Moment, _ clock: ContinuousClock.Instant
    ) throws {
        switch answer.action {
        case .proceed:
            note(planned, .done, started, clock, answer.reason)
            if answer.paths != nil {
                recorder.warn(
                    "The hook '\(planned.hook.plugin)' offers other paths to read, which is not supported yet; the volumes "
                        + "themselves are read.", application: name)
            }
        case .skip:
            note(planned, .skip, started, clock, answer.reason)
            throw ApplicationSkipped(reason: answer.reason ?? "the hook '\(planned.hook.plugin)' said so")
        case .abort:
            note(planned, .abort, started, clock, answer.reason)
            throw PipelineError(
                .quiesceFailed,
                "The hook '\(planned.hook.plugin)' of '\(name)' ended the run: \(answer.reason ?? "it gave no reason")")
        }
    }

    /// True from the moment at which `maxHold` was over.
    private var hasExpired: Bool { state.withLock { $0.timer?.hasExpired ?? false } }

    private static func isTimeout(_ error: LeaseError) -> Bool { (error.cause as? PluginHostError)?.code == .timeout }

    /// From the first hook on the application counts as held.
    private func startClock() {
        state.withLock { state in
            guard state.began == nil else { return }
            state.began = ContinuousClock.now
            guard let maxHold else { return }
            state.timer = HoldTimer(limit: maxHold) { [self] in expire(maxHold) }
        }
    }

    private func expire(_ limit: Duration) {
        let text = DurationText.format(limit)
        state.withLock { $0.brokenReason = $0.brokenReason ?? "it was held longer than its maxHold of \(text)" }
        // Released first: the warning can wait.
        finishRelease(leases.release([name], outcome: .partial))
        recorder.warn(
            "The application was released after its maxHold of \(text), before everything was read.", application: name)
    }

    /// Lets the application go, and waits for the confirmation or for the end of all attempts.
    func release(_ outcome: HookOutcome) {
        guard !hooks.isEmpty else { return }
        // When the timer has rung, this waits until its release is through.
        state.withLock({ $0.timer })?.stop()
        finishRelease(leases.release([name], outcome: outcome))
    }

    private func finishRelease(_ report: ReleaseReport) {
        let now = host.clock()
        // A lease whose pre is just being answered is in no report, and out all the same.
        let isOut = leases.outstanding.contains { $0.application == name && $0.pair == pair }
        if let failure = report.journalFailure {
            recorder.warn("The release could not be recorded: \(failure)", application: name)
        }
        state.withLock { state in
            if !state.isReleased, !isOut, let began = state.began {
                state.held = ContinuousClock.now - began
                state.isReleased = true
            }
            for lease in report.released {
                state.results.append(
                    .init(
                        plugin: lease.plugin.name, event: lease.pair.post.rawValue, outcome: .done, started: now,
                        took: .zero))
            }
            state.unconfirmed = report.unconfirmed.map(\.description)
        }
        for unconfirmed in report.unconfirmed { recorder.error(unconfirmed.description, application: name) }
    }

    private func note(
        _ planned: PlannedHook, _ outcome: SnapshotDocument.HookResult.Outcome, _ started: Moment,
        _ clock: ContinuousClock.Instant, _ message: String?
    ) {
        let result = SnapshotDocument.HookResult(
            plugin: planned.hook.plugin, event: pair.pre.rawValue, outcome: outcome, started: started,
            took: ContinuousClock.now - clock, message: message)
        state.withLock { $0.results.append(result) }
    }
}
