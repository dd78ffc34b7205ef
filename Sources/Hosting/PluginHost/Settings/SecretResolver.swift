import CLinux
import CSpawn
import Glibc
package import JSON
import Synchronization

/// Reads the secrets that a configuration names.
///
/// A descriptor can be read only once, so what came from it is kept; everything else is read anew each time.
package final class SecretResolver: Sendable {
    /// The longest secret, in bytes: more would not fit the line of `open`.
    package static let maximumByteCount = 32 << 10

    private let fromDescriptors = Mutex<[Int32: String]>([:])
    private let commandLimit: Duration

    /// - Parameter commandLimit: how long a command may take.
    package init(commandLimit: Duration) { self.commandLimit = commandLimit }

    /// The configuration with each `{"secret": …}` replaced by its text, and those texts.
    ///
    /// - Throws: ``PluginHostError`` `secretUnavailable`, `invalidConfiguration`.
    package func resolve(_ configuration: JSONObject) throws -> (configuration: JSONObject, secrets: [String]) {
        var secrets: [String] = []
        let value = try resolve(.object(configuration), path: "config", &secrets)
        return (value.objectValue ?? [:], secrets)
    }

    private func resolve(_ value: JSONValue, path: String, _ secrets: inout [String]) throws -> JSONValue {
        let source: SecretSource?
        do { source = try SecretSource(value, path: path) } catch {
            throw PluginHostError(
                .invalidConfiguration, "a secret of the configuration is not named well", cause: error)
        }
        if let source {
            do {
                let secret = try read(source)
                secrets.append(secret)
                return .string(secret)
            } catch {
                throw PluginHostError(
                    .secretUnavailable, "the secret '\(path)' cannot be read from \(source.text)", cause: error)
            }
        }
        switch value {
        case .object(let object):
            var result = JSONObject()
            for (name, member) in object.members {
                result[name] = try resolve(member, path: "\(path).\(name)", &secrets)
            }
            return .object(result)
        case .array(let elements):
            return .array(
                try elements.enumerated().map { try resolve($1, path: "\(path)[\($0)]", &secrets) })
        default: return value
        }
    }

    private func read(_ source: SecretSource) throws -> String {
        switch source {
        case .file(let path): return try readFile(path)
        case .variable(let name):
            guard let value = PluginEnvironment.ofHost(name) else { throw SecretFailure("it is not set") }
            return value
        case .command(let words): return try readCommand(words)
        case .descriptor(let number):
            if let known = fromDescriptors.withLock({ $0[number] }) { return known }
            let secret = try Self.text(try Self.readAll(number, limit: nil))
            fromDescriptors.withLock { $0[number] = secret }
            return secret
        }
    }

    private func readFile(_ path: String) throws -> String {
        let file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        var status = clinux_stat()
        guard clinux_fstat(file.number, &status) == 0 else { throw SystemCallFailure.last("stat \(path)") }
        guard status.mode & S_IFMT != S_IFDIR else { throw SystemCallFailure(what: "read \(path)", code: EISDIR) }
        guard status.mode & 0o007 == 0 else {
            throw SecretFailure("everybody can read or write it; chmod o-rwx it")
        }
        return try Self.text(try Self.readAll(file.number, limit: commandLimit))
    }

    private func readCommand(_ words: [String]) throws -> String {
        guard let program = words.first, program.hasPrefix("/") else {
            throw SecretFailure("the command must start with an absolute path")
        }
        let child = try SpawnerThread.shared.spawn(
            SpawnRequest(
                executable: program, arguments: Array(words.dropFirst()),
                environment: PluginEnvironment.variables(passed: [], temporaryDirectory: "/tmp"), directory: "/",
                input: .null, output: .pipe, error: .null, mayGainPrivileges: true))
        var exit = cspawn_exit()
        let output: [UInt8]
        do { output = try Self.readAll(child.output.number, limit: commandLimit) } catch {
            kill(-child.pid, SIGKILL)
            _ = cspawn_reap(child.pid, true, &exit)
            throw error
        }
        let deadline = ContinuousClock.now + commandLimit
        while !cspawn_has_ended(child.pid), ContinuousClock.now < deadline {
            var waiting = pollfd(fd: child.exitDescriptor.number, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, child.exitDescriptor.number < 0 ? 20 : 1000)
        }
        kill(-child.pid, SIGKILL)
        _ = cspawn_reap(child.pid, true, &exit)
        guard exit.exit_status == 0 else {
            let how = exit.signal > 0 ? "was ended by signal \(exit.signal)" : "exited with \(exit.exit_status)"
            throw SecretFailure("it \(how)")
        }
        return try Self.text(output)
    }

    /// Reads to the end of the stream.
    private static func readAll(_ descriptor: Int32, limit: Duration?) throws -> [UInt8] {
        let deadline = limit.map { ContinuousClock.now + $0 }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = deadline.map { $0 - ContinuousClock.now }
            if let left, left <= .zero { throw SecretFailure("it took longer than \(limit ?? .zero)") }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, PollTimeout.milliseconds(left))
            guard waiting.revents != 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR || errno == EAGAIN { continue }
                throw SystemCallFailure.last("read")
            }
            bytes += buffer[..<count]
            guard bytes.count <= maximumByteCount else {
                throw SecretFailure("it is longer than \(maximumByteCount) bytes")
            }
        }
    }

    private static func text(_ bytes: [UInt8]) throws -> String {
        let content = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        guard !content.isEmpty else { throw SecretFailure("it is empty") }
        guard let text = String(validating: content, as: UTF8.self) else { throw SecretFailure("it is not UTF-8") }
        return text
    }
}

/// Why a secret could not be read; never holds the secret.
struct SecretFailure: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
