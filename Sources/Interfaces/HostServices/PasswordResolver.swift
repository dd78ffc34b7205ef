import CLinux
import Glibc
package import SnapshotModel

/// Finds the repository's password; the first source that is named wins, and a named source that fails is an error.
///
/// In order: the options, `STILLPOINT_PASSWORD_FILE`, `_COMMAND`, `STILLPOINT_PASSWORD`, the same of `RESTIC_`, what the
/// destination remembers, systemd's credential `stillpoint-password`, and a question on the terminal.
package struct PasswordResolver: Sendable {
    package var file: String?
    package var command: String?
    package var environment: Environment
    /// Asks on the terminal without echo; nil when there is none.
    package var prompt: (@Sendable (_ question: String) throws -> String?)?

    package init(
        file: String?, command: String?, environment: Environment, prompt: (@Sendable (String) throws -> String?)?
    ) {
        self.file = file
        self.command = command
        self.environment = environment
        self.prompt = prompt
    }

    /// What can be remembered with a destination: a file or a command, never the password itself.
    package func rememberedSource() throws -> PasswordSource {
        if let file = file ?? environment["STILLPOINT_PASSWORD_FILE"] ?? environment["RESTIC_PASSWORD_FILE"] {
            return .file(try StatePaths.absolute(file))
        }
        if let command = command ?? environment["STILLPOINT_PASSWORD_COMMAND"] ?? environment["RESTIC_PASSWORD_COMMAND"]
        {
            return .command(["/bin/sh", "-c", command])
        }
        return .none
    }

    /// The password's bytes.
    ///
    /// - Parameters:
    ///   - remembered: of the destination.
    ///   - confirming: ask twice, for a new repository.
    /// - Throws: ``ServiceError``.
    package func password(remembered: PasswordSource = .none, confirming: Bool = false) throws -> [UInt8] {
        if let file { return try read(file) }
        if let command { return try run(["/bin/sh", "-c", command]) }
        for prefix in ["STILLPOINT", "RESTIC"] {
            if let file = environment["\(prefix)_PASSWORD_FILE"] { return try read(file) }
            if let command = environment["\(prefix)_PASSWORD_COMMAND"] { return try run(["/bin/sh", "-c", command]) }
            if let password = environment["\(prefix)_PASSWORD"] { return Array(password.utf8) }
        }
        switch remembered {
        case .file(let path): return try read(path)
        case .command(let words): return try run(words)
        case .none: break
        }
        if let directory = environment["CREDENTIALS_DIRECTORY"], access(directory + "/stillpoint-password", R_OK) == 0 {
            return try read(directory + "/stillpoint-password")
        }
        return try ask(confirming: confirming)
    }

    private func ask(confirming: Bool) throws -> [UInt8] {
        guard let prompt, let password = try prompt("password of the repository: ") else {
            throw ServiceError(
                .notSetUp,
                "No password was given; use --password-file FILE, --password-command COMMAND or STILLPOINT_PASSWORD.")
        }
        if confirming {
            guard !password.isEmpty else {
                throw ServiceError(.badValue, "An empty password protects nothing; choose one.")
            }
            guard try prompt("the same password again: ") == password else {
                throw ServiceError(.badValue, "The two passwords differ; nothing was made.")
            }
        }
        return Array(password.utf8)
    }

    private func read(_ path: String) throws -> [UInt8] {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            throw ServiceError(
                .inaccessible, "The password file \(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        return try Self.firstLine(try Self.readAll(descriptor), of: "The password file \(path)")
    }

    private func run(_ words: [String]) throws -> [UInt8] {
        let what = "The password command"
        var descriptors: [Int32] = [0, 0]
        guard clinux_pipe_cloexec(&descriptors) == 0 else {
            throw ServiceError(.inaccessible, "\(what) cannot be started.")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptors[1], 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let result = posix_spawn(&process, words.first ?? "", &actions, nil, &arguments, environ)
        close(descriptors[1])
        defer { close(descriptors[0]) }
        guard result == 0 else {
            throw ServiceError(.inaccessible, "\(what) cannot be started: \(String(cString: strerror(result))).")
        }
        let output = try Self.readAll(descriptors[0])
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        guard status == 0 else {
            throw ServiceError(
                .notSetUp, "\(what) failed with status \((status >> 8) & 0xFF); run it by hand to see why.")
        }
        return try Self.firstLine(output, of: what)
    }

    private static func readAll(_ descriptor: Int32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += part[0..<count]
        }
        return bytes
    }

    /// restic takes the whole file without the line feeds at its end; so do we.
    private static func firstLine(_ bytes: [UInt8], of what: String) throws -> [UInt8] {
        var bytes = bytes
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ServiceError(.badValue, "\(what) yields no password.") }
        return bytes
    }
}
