import CSpawn
import Glibc

/// A program to start.
struct SpawnRequest: Sendable {
    /// Where a standard stream leads.
    enum Stream: Sendable {
        case pipe
        case null

        var number: Int32 {
            switch self {
            case .pipe: Int32(CSPAWN_PIPE)
            case .null: Int32(CSPAWN_NULL)
            }
        }
    }

    /// Absolute path.
    var executable: String
    /// After the program's own name, which is `executable`.
    var arguments: [String]
    /// Each `NAME=value`.
    var environment: [String]
    var directory: String
    var input: Stream
    var output: Stream
    var error: Stream
    /// Whether set-user-id programs (`sudo`) may gain anything in the child.
    var mayGainPrivileges: Bool
}

/// A program that runs: leader of its own process group, reaped by its owner.
struct SpawnedChild: Sendable {
    /// Process id, and id of the group.
    let pid: pid_t
    /// See ``ProcessIdentity/startTime(of:)``; nil when it was gone before it could be read.
    let startTime: UInt64?
    /// Readable once the leader has ended; -1 on kernels without pidfd_open(2).
    let exitDescriptor: OwnedDescriptor
    /// The host's ends of the pipes; closed (-1) where no pipe was asked for.
    let input, output, error: OwnedDescriptor
}

extension SpawnRequest {
    /// Starts the program; called on the spawner thread only.
    ///
    /// - Throws: ``SpawnFailure``.
    func start() throws(SpawnFailure) -> SpawnedChild {
        var argv = ([executable] + arguments).map { strdup($0) }
        var envp = environment.map { strdup($0) }
        argv.append(nil)
        envp.append(nil)
        defer {
            for pointer in argv { free(pointer) }
            for pointer in envp { free(pointer) }
        }
        var process = cspawn_process()
        var failure = cspawn_failure()
        let result = executable.withCString { executable in
            directory.withCString { directory in
                var options = cspawn_options()
                options.executable = executable
                options.directory = directory
                options.input = input.number
                options.output = output.number
                options.error = error.number
                options.group = CSPAWN_NEW_GROUP
                options.parent_death_signal = SIGTERM
                options.no_new_privileges = !mayGainPrivileges
                options.open_files_limit = 1024
                options.file_mode_mask = 0o077
                return argv.withUnsafeBufferPointer { argv in
                    envp.withUnsafeBufferPointer { envp in
                        options.arguments = argv.baseAddress
                        options.environment = envp.baseAddress
                        return cspawn_start(&options, &process, &failure)
                    }
                }
            }
        }
        guard result == 0 else { throw SpawnFailure(step: failure.step, code: failure.code) }
        return SpawnedChild(
            pid: process.pid, startTime: ProcessIdentity.startTime(of: process.pid),
            exitDescriptor: OwnedDescriptor(process.pidfd), input: OwnedDescriptor(process.input),
            output: OwnedDescriptor(process.output), error: OwnedDescriptor(process.error))
    }
}

/// A program that could not be started; nothing of it is left.
struct SpawnFailure: Error, Sendable, CustomStringConvertible {
    let step: cspawn_step
    let code: Int32

    /// "it could not be executed: Exec format error".
    var description: String {
        let what =
            switch step {
            case CSPAWN_STEP_PIPE: "no pipe could be made for it"
            case CSPAWN_STEP_FORK: "no process could be made for it"
            case CSPAWN_STEP_GROUP: "its process group could not be made"
            case CSPAWN_STEP_STREAMS: "its standard streams could not be connected"
            case CSPAWN_STEP_PARENT_DIED: "its parent-death signal could not be set"
            case CSPAWN_STEP_PRIVILEGES: "its privileges could not be limited"
            case CSPAWN_STEP_LIMITS: "its resource limits could not be set"
            case CSPAWN_STEP_DIRECTORY: "its working directory could not be entered"
            default: "it could not be executed"
            }
        let hint = step == CSPAWN_STEP_EXEC && code == ENOENT ? " (is the interpreter in its first line there?)" : ""
        return "\(what): \(SystemCallFailure.text(code))\(hint)"
    }
}
