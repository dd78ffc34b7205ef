import Glibc

/// Runs a script with bash and gives what it printed.
package struct ShellScript: Sendable {
    /// How a script ended.
    package struct Result: Sendable, Equatable {
        /// The exit status; 128 + signal when a signal ended it.
        package let status: Int32
        /// Standard output and standard error together.
        package let output: String

        /// An expected result.
        package init(status: Int32, output: String) {
            self.status = status
            self.output = output
        }
    }

    /// The text of the script; it runs under `set -euo pipefail`.
    package let text: String
    /// Environment variables beside PATH, HOME and LC_ALL.
    package let environment: [String: String]

    /// A script with variables of its own.
    package init(_ text: String, environment: [String: String] = [:]) {
        self.text = text
        self.environment = environment
    }

    /// True when every program is found in the usual places.
    package static func isInstalled(_ programs: String...) -> Bool {
        programs.allSatisfy { program in
            ["/usr/local/bin", "/usr/bin", "/bin"].contains { access("\($0)/\(program)", X_OK) == 0 }
        }
    }

    /// Closes everything but the standard streams. Another test may be writing an executable at the moment of the fork; a
    /// copy of its descriptor in a script that runs for seconds would keep that file from being executed (ETXTBSY,
    /// execve(2)).
    private static let closingInherited =
        "for fd in /proc/$$/fd/*; do fd=${fd##*/}; if [ $fd -gt 2 ] && [ $fd != 255 ]; then eval \"exec $fd>&-\"; fi; done"

    /// Runs the script in `directory`, which also keeps its output in the file `.script-output`.
    ///
    /// - Returns: nil when no process could be started.
    package func run(in directory: TemporaryDirectory) throws -> Result? {
        let outputPath = directory.path(".script-output")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory.path, "LC_ALL": "C.UTF-8"]
        variables.merge(environment) { $1 }
        let words = ["bash", "-euo", "pipefail", "-c", "\(Self.closingInherited)\ncd \(directory.path)\n\(text)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var assignments: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in arguments + assignments { free(pointer) } }
        var process = pid_t()
        guard posix_spawnp(&process, "bash", &actions, nil, &arguments, &assignments) == 0 else { return nil }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        let signal = status & 0x7F
        let output = String(decoding: try directory.read(".script-output"), as: UTF8.self)
        return Result(status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: output)
    }
}
