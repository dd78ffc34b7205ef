import PluginKit
import Synchronization
import Threads

/// Runs the operator's command for each event, and the release of what was left held.
final class HookRunner: HookPluginHandler {
    private static let skipStatus: Int32 = 75
    private let configuration: HookConfiguration
    private let session: CallContext
    private let ledger = Condition((holds: HoldLedger(), isClosed: false))
    /// Two releases never run at once: that of the clock, and the one the host sent meanwhile.
    private let releasing = Mutex<Void>(())
    private let timer = Mutex<WorkerThread?>(nil)

    /// - Parameter session: the call that opened the plugin, for what is told outside of calls.
    init(_ configuration: HookConfiguration, _ session: CallContext) {
        self.configuration = configuration
        self.session = session
    }

    func check(_ call: CallContext) throws {
        for hook in configuration.hooks.values { _ = try command(hook, [:]).resolvedExecutable() }
    }

    func run(_ parameters: HookRunParameters, _ call: CallContext) throws -> HookRunResult {
        guard HookEvent.all.contains(parameters.event) else {
            throw PluginFailure.unsupported("the event '\(parameters.event)' is not known to this plugin")
        }
        guard let hook = configuration.hooks[parameters.event] else { return HookRunResult() }
        if parameters.dryRun {
            let variables = HookEnvironment.variables(for: parameters, hook, stateFile: nil)
            _ = try command(hook, variables).resolvedExecutable()
            return HookRunResult()
        }
        let logger: @Sendable (PluginLogLevel, String) -> Void = { call.log($0, $1) }
        if parameters.event.release != nil { return try hold(parameters, hook, call, logger) }
        if parameters.event.counterpart != nil {
            // Neither `cancel` nor the end of the host may keep an application from being released.
            return try releasing.withLock { _ in try release(parameters, hook, logger) }
        }
        let outcome = try execute(parameters, hook, stateFile: nil, stop: stopSignal(for: call), logger)
        return try result(of: outcome, parameters, hook)
    }

    /// Releases what is held, the last first: the host went away, or wants this process to end.
    func close() {
        ledger.withLock { $0.isClosed = true }
        // The thread does not throw.
        try? timer.withLock { $0 }?.join()
        for hold in ledger.withLockQuietly({ $0.holds.holds }).reversed() {
            releaseAlone(hold, because: "the host went away")
        }
    }
}

// MARK: Commands

extension HookRunner {
    private func command(_ hook: HookConfiguration.Hook, _ variables: [String: String]) -> Command {
        Command(hook.arguments, environment: variables, directory: hook.directory)
    }

    private func stopSignal(for call: CallContext) throws -> StopSignal {
        let stop = try StopSignal()
        call.onCancel { _ in stop.raise() }
        return stop
    }

    private func execute(
        _ parameters: HookRunParameters, _ hook: HookConfiguration.Hook, stateFile: StateFile?, stop: StopSignal?,
        _ logger: (PluginLogLevel, String) -> Void
    ) throws -> CommandOutcome {
        let variables = HookEnvironment.variables(for: parameters, hook, stateFile: stateFile?.path)
        var command = command(hook, variables)
        // A release must not die with this process.
        command.endsWithCaller = parameters.event.counterpart == nil
        command.timeout = timeout(of: hook, parameters, grace: command.grace)
        return try command.run(stop: stop) { line, isError in logger(isError ? .warning : .info, line) }
    }

    /// The operator's timeout, shortened so that the answer comes before the host gives up.
    private func timeout(
        of hook: HookConfiguration.Hook, _ parameters: HookRunParameters, grace: Duration
    ) -> Duration {
        let deadline = Duration.milliseconds(parameters.deadlineMilliseconds)
        return min(hook.timeout, max(deadline - grace - .seconds(1), deadline / 2))
    }

    private func failure(
        _ outcome: CommandOutcome, _ parameters: HookRunParameters, _ hook: HookConfiguration.Hook
    ) -> PluginFailure {
        let last = outcome.lastLines.last.map { ": \($0)" } ?? ""
        let message = "the command '\(hook.arguments.first ?? "")' for \(parameters.event) \(outcome.summary)\(last)"
        let detail = outcome.lastLines.isEmpty ? nil : outcome.lastLines.joined(separator: "\n")
        if outcome.stop == .requested { return PluginFailure(.cancelled, message, detail: detail) }
        return PluginFailure.hookFailed(message, detail: detail)
    }

    private func result(
        of outcome: CommandOutcome, _ parameters: HookRunParameters, _ hook: HookConfiguration.Hook
    ) throws -> HookRunResult {
        let isRehearsal = parameters.event == .rehearsalCheck
        switch (outcome.stop, outcome.ending) {
        case (nil, .exited(0)):
            return HookRunResult(checks: isRehearsal ? [check(outcome, hook, ok: true)] : nil)
        case (nil, .exited(Self.skipStatus)):
            if parameters.event.counterpart != nil { return HookRunResult() }
            return HookRunResult(
                action: .skip,
                reason: outcome.lastLines.last ?? "the command '\(hook.arguments.first ?? "")' exited with 75")
        case (nil, .exited) where isRehearsal:
            // The check was made, and this is its verdict.
            return HookRunResult(checks: [check(outcome, hook, ok: false)])
        default: throw failure(outcome, parameters, hook)
        }
    }

    private func check(_ outcome: CommandOutcome, _ hook: HookConfiguration.Hook, ok: Bool) -> HookRunResult.Check {
        let name = hook.arguments.first?.split(separator: "/").last.map { String($0) } ?? "command"
        let detail = ok ? outcome.lastLines.last : ([outcome.summary] + outcome.lastLines).joined(separator: "\n")
        return HookRunResult.Check(name: name, ok: ok, detail: detail)
    }
}

// MARK: Holding and releasing

extension HookRunner {
    private func hold(
        _ parameters: HookRunParameters, _ hook: HookConfiguration.Hook, _ call: CallContext,
        _ logger: (PluginLogLevel, String) -> Void
    ) throws -> HookRunResult {
        let stop = try stopSignal(for: call)
        try call.checkCancellation()
        ledger.withLock { $0.holds.begin(parameters) }
        let stateFile = StateFile(in: configuration.temporaryDirectory)
        var state: String?
        defer {
            ledger.withLock { $0.holds.answer(parameters, state: state, now: .now) }
            watchClock()
        }
        let outcome: CommandOutcome
        do {
            outcome = try execute(parameters, hook, stateFile: stateFile, stop: stop, logger)
        } catch {
            _ = try? stateFile?.take()
            throw error
        }
        // Also of a command that failed: what it left may be what its counterpart needs.
        state = try stateFile?.take()
        var result = try result(of: outcome, parameters, hook)
        result.state = state
        return result
    }

    private func release(
        _ parameters: HookRunParameters, _ hook: HookConfiguration.Hook, _ logger: (PluginLogLevel, String) -> Void
    ) throws -> HookRunResult {
        let outcome = try execute(parameters, hook, stateFile: nil, stop: nil, logger)
        let result = try result(of: outcome, parameters, hook)
        ledger.withLock { $0.holds.release(parameters.event, run: parameters.run) }
        return result
    }

    /// Runs the post event that nobody sent.
    private func releaseAlone(_ hold: HoldLedger.Hold, because reason: String) {
        guard let parameters = hold.release, let hook = configuration.hooks[parameters.event] else { return }
        let logger: (PluginLogLevel, String) -> Void = { [session] in session.notice($0, $1) }
        logger(.warning, "\(parameters.event) of run '\(parameters.run)' is run by the plugin: \(reason)")
        do {
            _ = try releasing.withLock { _ in try release(parameters, hook, logger) }
        } catch {
            logger(.error, "\(error)")
        }
    }

    /// Starts the thread that watches `max_hold_ms`, once there is something to watch.
    private func watchClock() {
        guard ledger.withLockQuietly({ $0.holds.nextDeadline }) != nil else { return }
        timer.withLock { timer in
            guard timer == nil else { return }
            timer = WorkerThread(name: "max-hold") { [self] in releaseExpired() }
        }
    }

    private func releaseExpired() {
        while true {
            let next = ledger.withLockQuietly { $0.isClosed ? nil : $0.holds.nextDeadline }
            let limit = next.map { $0 - .now } ?? .seconds(3600)
            let isClosed = ledger.wait(timeout: max(.zero, limit)) { state -> Bool? in
                if state.isClosed { return true }
                // Another hold may have come that ends earlier.
                return state.holds.nextDeadline == next ? nil : false
            }
            if isClosed == true { return }
            for hold in ledger.withLock({ $0.holds.expire(now: .now) }) {
                releaseAlone(hold, because: "the longest time the application may be held is over")
            }
        }
    }
}
