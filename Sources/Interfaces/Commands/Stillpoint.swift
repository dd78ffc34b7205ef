import ArgumentParser
import Glibc
import HostServices
import Pipelines
import PluginHost
import Retention
import SnapshotModel
import Threads

/// The command tree.
struct Stillpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stillpoint",
        abstract: "Snapshots of applications at a still point, in repositories that stock restic can read.",
        discussion: """
            Results go to standard output, progress and remarks to standard error.

            Exit codes: 0 done, 1 failed, 2 usage, 3 done in part, 10 no repository, 11 locked, 12 wrong password, \
            20 quiesce failed, 21 release not confirmed, 24 verification failed, 25 no space, 75 skipped, \
            130/143 stopped by a signal.

            A first snapshot: stillpoint init --set path=/srv/backup, stillpoint application add application.yaml, \
            stillpoint backup.
            """,
        version: "stillpoint \(Host.version)",
        subcommands: [
            InitCommand.self, ApplicationCommand.self, DestinationCommand.self, BackupCommand.self,
            SnapshotsCommand.self, ShowCommand.self, ListCommand.self, FindCommand.self, DiffCommand.self,
            DumpCommand.self, RestoreCommand.self, StatsCommand.self,
            ForgetCommand.self, PinCommand.self, UnpinCommand.self, TagCommand.self,
            CheckCommand.self, RepairCommand.self, PruneCommand.self, CopyCommand.self,
            UnlockCommand.self, KeyCommand.self, RunsCommand.self, RunCommand.self, ThawCommand.self,
            PluginCommand.self,
        ])
}

/// Runs the program: parses, runs, maps every error to a sentence and a documented exit code.
package func runStillpoint(_ arguments: [String]) -> Never {
    raiseDescriptorLimit()
    let arguments = ArgumentOrder.normalized(arguments)
    let isJSON = arguments.contains("--json")
    if let message = UsageText.unknownCommand(arguments) {
        report(message, .usage, isJSON)
        exit(SnapshotModel.ExitCode.usage.rawValue)
    }
    do {
        var command = try Stillpoint.parseAsRoot(arguments)
        try command.run()
        exit(SnapshotModel.ExitCode.done.rawValue)
    } catch let failure as ValidationError {
        report(failure.message, .usage, isJSON)
        exit(SnapshotModel.ExitCode.usage.rawValue)
    } catch let failure as CommandExit {
        if let message = failure.message { report(message, failure.code, isJSON) }
        exit(failure.code.rawValue)
    } catch {
        // Everything that ArgumentParser knows: help and version, and wrong usage.
        let parserCode = Stillpoint.exitCode(for: error)
        if parserCode == .success {
            print(Stillpoint.fullMessage(for: error))
            exit(SnapshotModel.ExitCode.done.rawValue)
        }
        if parserCode == .validationFailure {
            let message =
                isJSON ? Stillpoint.message(for: error) : UsageText.text(Stillpoint.fullMessage(for: error))
            Terminal(isJSON: isJSON, isQuiet: false, noColor: false, environment: .current).usage(message)
            exit(SnapshotModel.ExitCode.usage.rawValue)
        }
        // Whatever was under way when a signal came has failed because of it.
        if let signal = SignalWatch.signal {
            let code = SnapshotModel.ExitCode(signal: signal)
            report("Stopped by signal \(signal).", code, isJSON)
            exit(code.rawValue)
        }
        let code = exitCode(of: error)
        report("\(error)", code, isJSON)
        exit(code.rawValue)
    }
}

/// Services have a few errors of their own; the rest is the pipelines' table.
func exitCode(of error: any Error) -> SnapshotModel.ExitCode {
    if let error = error as? ServiceError, error.code == .badValue { return .usage }
    if let error = error as? ServiceError, error.code == .noPlace { return .noRepository }
    if error is ManifestInvalid { return .usage }
    if let error = error as? RetentionError, error.code != .keepsNothing { return .usage }
    if let error = error as? SnapshotModelError,
        [.malformedName, .malformedRunID, .malformedTag].contains(error.code)
    {
        return .usage
    }
    if let error = error as? PluginHostError, error.code == .invalidConfiguration { return .usage }
    return RunFailure.exitCode(of: error)
}

/// The last sentence of a command. What was done in part was done: the sentence is a warning then, and no error.
private func report(_ message: String, _ code: SnapshotModel.ExitCode, _ isJSON: Bool) {
    let terminal = Terminal(isJSON: isJSON, isQuiet: false, noColor: false, environment: .current)
    if code == .partial, !isJSON { return terminal.warning(message) }
    terminal.error(message, code: code.rawValue)
}

/// Deep trees keep a descriptor open for each level; the soft limit is a default, not a wish.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 65536)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
