import ArgumentParser
import Glibc
import HostServices
import JSON
import Logging
import Pipelines
import PluginHost
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// What every command has: its terminal, its host when it needs one, and an end that releases everything.
struct CommandSession {
    let terminal: Terminal
    let environment: Environment
    let cancellation: Cancellation
    let logger: Logger
    let options: GlobalOptions

    init(_ options: GlobalOptions, json: Bool? = nil) {
        self.options = options
        environment = .current
        let isJSON = json ?? options.json
        let quiet = options.quiet
        terminal = Terminal(isJSON: isJSON, isQuiet: quiet, noColor: options.noColor, environment: environment)
        cancellation = Cancellation()
        var logger = Logger(label: "stillpoint") { _ in StreamLogHandler.standardError(label: "stillpoint") }
        logger.logLevel = options.verbose > 1 ? .debug : options.verbose > 0 ? .info : .critical
        self.logger = logger
        SignalWatch.install(cancellation, terminal)
    }

    /// Runs `body` with the host, after releasing what runs that were killed have left held.
    ///
    /// - Parameter creating: make the state directory when it is missing.
    func withHost<Result>(creating: Bool = false, replay: Bool = true, _ body: (Host) throws -> Result) throws -> Result
    {
        let isRoot = geteuid() == 0
        let paths = try StatePaths(state: options.state, environment: environment, isRoot: isRoot)
        let host =
            creating
            ? try Host(creating: paths, environment: environment, cancellation: cancellation, logger: logger)
            : try Host(existing: paths, environment: environment, cancellation: cancellation, logger: logger)
        defer { host.close() }
        if replay, !creating { try releaseLeftovers(host) }
        return try body(host)
    }

    /// Runs `body` with the plugins that are installed; needs no state and makes none.
    func withPlugins<Result>(_ body: (PluginInspection) throws -> Result) throws -> Result {
        let inspection = try PluginInspection(environment: environment, logger: logger)
        defer { inspection.close() }
        return try body(inspection)
    }

    private func releaseLeftovers(_ host: Host) throws {
        for line in try host.releaseLeftovers() { terminal.warning(line) }
    }

    /// How the password is found.
    func passwordResolver(_ options: PasswordOptions) -> PasswordResolver {
        PasswordResolver(
            file: options.passwordFile, command: options.passwordCommand, environment: environment,
            prompt: { [cancellation] in try Terminal.ask($0, echo: false, cancellation) })
    }

    /// Runs `body` with the repository open and locked.
    ///
    /// - Parameters:
    ///   - lock: nil for looking only, which needs no lock in an append-only format; restic's own list does the same.
    ///   - index: whether the index is loaded.
    ///   - toleratesDamage: whether a damaged index is told and got around; never for those who add or remove blobs,
    ///     because what no index names is no part of the repository. Without a lock nobody does.
    func withRepository<Result>(
        _ host: Host, _ passwords: PasswordOptions, lock: LockKind?, index: Bool, toleratesDamage: Bool = false,
        _ body: (OpenDestination) throws -> Result
    ) throws -> Result {
        let patience = try Self.patience(passwords)
        // Who changes or checks the repository wants to know what the store itself has.
        let mayUseCopies = lock == nil || lock == .shared && index
        let destination = try host.openDestination(
            passwordResolver(passwords), remembersKey: !passwords.noKeyCache,
            caches: mayUseCopies && !passwords.noCache)
        defer { destination.close() }
        return try holding(
            destination, host, lock: lock, patience: patience, index: index, toleratesDamage: toleratesDamage, body)
    }

    /// Runs `body` with an open repository locked.
    ///
    /// - Parameters:
    ///   - lock: as, like toleratesDamage, for ``withRepository(_:_:lock:index:toleratesDamage:_:)``.
    ///   - patience: how long to wait for locks of others.
    func holding<Result>(
        _ destination: OpenDestination, _ host: Host, lock: LockKind?, patience: Duration, index: Bool,
        toleratesDamage: Bool = false, _ body: (OpenDestination) throws -> Result
    ) throws -> Result {
        guard let lock else {
            if index { try loadIndex(destination.repository, toleratesDamage: true) }
            return try body(destination)
        }
        let (terminal, logger) = (terminal, logger)
        let remarks = RepositoryLock.Remarks(
            removed: { removed, proof in
                logger.notice(
                    "removed a dead lock",
                    metadata: [
                        "lock.pid": "\(removed.pid)", "lock.hostname": "\(removed.hostname)",
                        "lock.time": "\(removed.time.text)", "lock.proof": "\(proof)",
                    ])
                terminal.remark("removed the lock of process \(removed.pid) on \(removed.hostname): \(proof)")
            },
            waiting: { reason in terminal.remark("waiting: \(reason)") })
        let held = try host.lock(
            destination.repository, exclusive: lock == .exclusive, patience: patience, remarks: remarks,
            reserveReleased: {
                terminal.remark("the store is full: its reserve of space was given up for the lock")
            })
        // A store that is gone by now leaves a lock that grows stale, as the documentation says.
        defer {
            do { try held.release() } catch { terminal.warning("The repository's lock could not be removed: \(error)") }
        }
        do {
            if index { try loadIndex(destination.repository, toleratesDamage: toleratesDamage) }
            return try body(destination)
        } catch {
            // What stopped everything else when the lock was refused or lost.
            throw cancellation.isCancelled ? error : held.failure ?? error
        }
    }

    private func loadIndex(_ repository: OpenRepository, toleratesDamage: Bool) throws {
        guard toleratesDamage else { return try repository.loadIndex(cancellation: cancellation) }
        try repository.loadIndex(cancellation: cancellation) { kind, _, error in
            terminal.warning(
                kind == .index
                    ? "\(error) What it says is read from the packs; 'stillpoint repair index' renews it." : "\(error)")
        }
    }

    enum LockKind { case shared, exclusive }

    /// How long `--retry-lock` waits.
    static func patience(_ options: PasswordOptions) throws -> Duration {
        guard let text = options.retryLock else { return .zero }
        guard let duration = DurationText.parse(text) else {
            throw ValidationError("'\(text)' is no time; write a number and a unit of ms, s, m, h, d, e.g. 5m.")
        }
        return duration
    }
}

/// Ends a command with a code although its message was given already.
struct CommandExit: Error {
    let code: SnapshotModel.ExitCode
    /// Nil when everything was said.
    let message: String?
}
