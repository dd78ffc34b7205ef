import CLinux
import CSpawn
import Glibc
import TestSupport
import Threads

/// A plugin that runs as a process of its own, as under the host: pipes, a group of its own, few variables.
final class PluginProcess: Sendable {
    struct CannotStart: Error, CustomStringConvertible {
        let description: String
    }

    let conversation: Conversation
    let pid: pid_t
    private let reaped = Condition<cspawn_exit?>(nil)

    /// - Parameters:
    ///   - executable: the absolute path.
    ///   - environment: variables beside PATH and those every plugin gets.
    init(_ executable: String, environment: [String: String] = [:]) throws {
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "STILLPOINT_PLUGIN": "1"]
        variables.merge(environment) { $1 }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(executable), nil]
        var assignments: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in arguments + assignments { free(pointer) } }
        var process = cspawn_process()
        var failure = cspawn_failure()
        let result = executable.withCString { path in
            arguments.withUnsafeMutableBufferPointer { arguments in
                assignments.withUnsafeMutableBufferPointer { assignments in
                    var options = cspawn_options()
                    options.executable = path
                    options.arguments = UnsafePointer(arguments.baseAddress)
                    options.environment = UnsafePointer(assignments.baseAddress)
                    options.input = Int32(CSPAWN_PIPE)
                    options.output = Int32(CSPAWN_PIPE)
                    options.error = Int32(CSPAWN_INHERIT)
                    options.group = CSPAWN_NEW_GROUP
                    options.file_mode_mask = 0o077
                    return cspawn_start(&options, &process, &failure)
                }
            }
        }
        guard result == 0 else {
            throw CannotStart(description: "\(executable): step \(failure.step.rawValue), error \(failure.code)")
        }
        pid = process.pid
        if process.pidfd >= 0 { Glibc.close(process.pidfd) }
        conversation = Conversation(input: process.input, output: process.output)
    }

    deinit {
        guard reaped.withLockQuietly({ $0 == nil }) else { return }
        kill(-pid, SIGKILL)
        var exit = cspawn_exit()
        cspawn_reap(pid, true, &exit)
    }

    /// Waits, for a limited time, until the process has ended.
    ///
    /// - Returns: its exit status, or 128 + the signal that ended it.
    func wait(limit: Duration = .seconds(60)) throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            var exit = cspawn_exit()
            if cspawn_reap(pid, false, &exit) == 1 {
                reaped.withLock { $0 = exit }
                return exit.signal > 0 ? 128 + exit.signal : exit.exit_status
            }
            usleep(5000)
        }
        throw CannotStart(description: "process \(pid) does not end")
    }

    /// Ends the input and waits for the process.
    func close() throws -> Int32 {
        conversation.closeInput()
        return try wait()
    }
}

/// Where things are that the tests run.
enum Places {
    /// A first-party plugin, as `swift build` left it beside the tests.
    static func plugin(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
    }

    /// A file of the package, by its path from the top.
    static func source(_ path: String) -> String {
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" } + "/" + path
    }
}

/// Waits, for a limited time, until something is true.
func eventually(limit: Duration = .seconds(60), _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if condition() { return true }
        usleep(5000)
    }
    return condition()
}
