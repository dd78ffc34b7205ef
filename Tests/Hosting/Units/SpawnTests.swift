import CSpawn
import Glibc
import TestSupport
import Testing

@Suite struct `Starting processes` {
    /// Runs a program and gives its exit and standard output; `change` alters the options.
    private func run(
        _ words: [String], change: (inout cspawn_options) -> Void = { _ in }
    ) throws -> (exit: cspawn_exit, output: String) {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var process = cspawn_process()
        var failure = cspawn_failure()
        let result = words[0].withCString { executable in
            arguments.withUnsafeMutableBufferPointer { arguments in
                environment.withUnsafeMutableBufferPointer { environment in
                    var options = cspawn_options()
                    options.executable = executable
                    options.arguments = UnsafePointer(arguments.baseAddress)
                    options.environment = UnsafePointer(environment.baseAddress)
                    options.input = Int32(CSPAWN_NULL)
                    options.output = Int32(CSPAWN_PIPE)
                    options.error = Int32(CSPAWN_NULL)
                    options.file_mode_mask = -1
                    change(&options)
                    return cspawn_start(&options, &process, &failure)
                }
            }
        }
        guard result == 0 else { throw Failure(step: failure.step, code: failure.code) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while process.output >= 0 {
            let count = read(process.output, &buffer, buffer.count)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        for descriptor in [process.output, process.pidfd] where descriptor >= 0 { close(descriptor) }
        var exit = cspawn_exit()
        #expect(cspawn_reap(process.pid, true, &exit) == 1)
        return (exit, String(decoding: output, as: UTF8.self))
    }

    private struct Failure: Error, Equatable {
        let step: cspawn_step
        let code: Int32
    }

    @Test func `exit status and signal are told apart`() throws {
        let exited = try run(["/bin/sh", "-c", "exit 3"]).exit
        #expect((exited.exit_status, exited.signal) == (3, 0))
        let killed = try run(["/bin/sh", "-c", "kill -9 $$"]).exit
        #expect((killed.exit_status, killed.signal) == (-1, SIGKILL))
    }

    @Test func `a program that cannot be executed is told with its errno`() throws {
        #expect(throws: Failure(step: CSPAWN_STEP_EXEC, code: ENOENT)) { try run(["/nonexistent"]) }
        #expect(throws: Failure(step: CSPAWN_STEP_EXEC, code: EACCES)) { try run(["/etc/passwd"]) }
        #expect(throws: Failure(step: CSPAWN_STEP_DIRECTORY, code: ENOENT)) {
            try "/nonexistent".withCString { path in try run(["/bin/true"]) { $0.directory = path } }
        }
        #expect(throws: Failure(step: CSPAWN_STEP_PIPE, code: EBADF)) {
            try run(["/bin/true"]) { $0.error = 1_000_000 }
        }
    }

    @Test func `no descriptor but the three reaches the child`() throws {
        // An open descriptor without close-on-exec, which must not reach it.
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        let output = try run(["/bin/ls", "/proc/self/fd"]).output
        // 3 is the directory that ls itself reads.
        #expect(output == "0\n1\n2\n3\n")
    }

    @Test func `groups and sessions are as asked for`() throws {
        let words = ["/bin/sh", "-c", "cut -d' ' -f1,5,6 /proc/$$/stat"]
        func fields(_ group: cspawn_group) throws -> [pid_t] {
            try run(words) { $0.group = group }.output.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
        }
        let inGroup = try fields(CSPAWN_NEW_GROUP)
        #expect(inGroup[0] == inGroup[1] && inGroup[2] == getsid(0))
        let inSession = try fields(CSPAWN_NEW_SESSION)
        #expect(inSession[0] == inSession[1] && inSession[0] == inSession[2])
        let inSame = try fields(CSPAWN_SAME_GROUP)
        #expect(inSame[1] == getpgrp())
    }

    @Test func `limits, mask, privileges and signals are as asked for`() throws {
        signal(SIGUSR1, SIG_IGN)
        defer { signal(SIGUSR1, SIG_DFL) }
        let script =
            "echo $(ulimit -S -n) $(ulimit -c) $(umask); exec grep -E 'NoNewPrivs|SigIgn|SigBlk' /proc/self/status"
        let output = try run(["/bin/sh", "-c", script]) {
            $0.open_files_limit = 256
            $0.file_mode_mask = 0o027
            $0.no_new_privileges = true
        }.output
        #expect(
            output == """
                256 0 0027
                SigBlk:\t0000000000000000
                SigIgn:\t0000000000000000
                NoNewPrivs:\t1

                """)
    }

    @Test func `a stream can lead to a descriptor of the caller`() throws {
        let directory = try TemporaryDirectory("spawn")
        let path = directory.path("file")
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let result = try run(["/bin/sh", "-c", "echo out; echo err >&2"]) {
            $0.output = file
            $0.error = file
        }
        close(file)
        #expect(result.exit.exit_status == 0)
        #expect(try directory.read("file") == Array("out\nerr\n".utf8))
    }
}
