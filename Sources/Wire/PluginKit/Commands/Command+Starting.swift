import CSpawn
import Glibc

extension Command {
    /// Starts the program; the caller owns what comes back.
    ///
    /// - Throws: ``PluginFailure`` `hookFailed` when it cannot be started, with the reason.
    func start() throws -> cspawn_process {
        let executable = try resolvedExecutable()
        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variablePointers: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argumentPointers + variablePointers { free(pointer) } }
        let directoryPointer = directory.map { strdup($0) } ?? nil
        defer { free(directoryPointer) }
        var process = cspawn_process()
        var failure = cspawn_failure()
        let result = executable.withCString { path in
            argumentPointers.withUnsafeMutableBufferPointer { arguments in
                variablePointers.withUnsafeMutableBufferPointer { variables in
                    var options = cspawn_options()
                    options.executable = path
                    options.arguments = UnsafePointer(arguments.baseAddress)
                    options.environment = UnsafePointer(variables.baseAddress)
                    options.directory = UnsafePointer(directoryPointer)
                    if case .copied = input {
                        options.input = Int32(CSPAWN_PIPE)
                    } else {
                        options.input = Int32(CSPAWN_NULL)
                    }
                    options.output = Int32(CSPAWN_PIPE)
                    options.error = Int32(CSPAWN_PIPE)
                    options.group = CSPAWN_NEW_GROUP
                    options.parent_death_signal = endsWithCaller ? SIGTERM : 0
                    options.file_mode_mask = -1
                    return cspawn_start(&options, &process, &failure)
                }
            }
        }
        guard result == 0 else {
            let place = failure.step == CSPAWN_STEP_DIRECTORY ? "in the directory '\(directory ?? "")'" : ""
            let words = ["cannot start '\(executable)'", place, PluginFailure.text(of: failure.code)]
            throw PluginFailure.hookFailed(words.filter { !$0.isEmpty }.joined(separator: ": "))
        }
        return process
    }

    /// The path of the program.
    ///
    /// - Throws: ``PluginFailure`` `hookFailed` when there is none that may be executed.
    package func resolvedExecutable() throws -> String {
        guard let name = arguments.first, !name.isEmpty else { throw PluginFailure.hookFailed("the command is empty") }
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard name.hasPrefix("/") else {
                throw PluginFailure.hookFailed("'\(name)' is a relative path; write an absolute one, or a name alone")
            }
            guard access(name, X_OK) == 0 else {
                throw PluginFailure.hookFailed("cannot execute '\(name)': \(PluginFailure.text(of: errno))")
            }
            return name
        }
        let path = environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw PluginFailure.hookFailed("there is no program '\(name)' in \(path)")
    }
}
