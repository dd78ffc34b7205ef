import Glibc
import JSON
import PluginHost
import TestSupport
import Testing

@Suite struct `Secrets of a configuration` {
    private let resolver = SecretResolver(commandLimit: .milliseconds(500))

    private func resolve(_ secret: JSONObject) throws -> String? {
        try resolver.resolve(["key": ["secret": .object(secret)]]).configuration["key"]?.stringValue
    }

    private func failure(_ secret: JSONObject) throws -> PluginHostError {
        try #require(throws: PluginHostError.self) { try resolve(secret) }
    }

    @Test func `a file, a variable, a command and a descriptor give their text`() throws {
        let directory = try TemporaryDirectory("secret")
        let path = try directory.write("from a file\n\n", to: "secret")
        #expect(chmod(path, 0o600) == 0)
        #expect(try resolve(["file": .string(path)]) == "from a file\n")
        setenv("STILLPOINT_TEST_SECRET", "from a variable", 1)
        #expect(try resolve(["env": "STILLPOINT_TEST_SECRET"]) == "from a variable")
        #expect(try resolve(["command": ["/bin/echo", "from a command"]]) == "from a command")
        var pipe: [Int32] = [-1, -1]
        #expect(Glibc.pipe(&pipe) == 0)
        #expect(write(pipe[1], "from a pipe\n", 12) == 12)
        close(pipe[1])
        let descriptor: JSONObject = ["fd": .integer(Int64(pipe[0]))]
        #expect(try resolve(descriptor) == "from a pipe")
        close(pipe[0])
        #expect(try resolve(descriptor) == "from a pipe")
    }

    @Test func `secrets are found at any depth, the rest stays`() throws {
        setenv("STILLPOINT_TEST_SECRET", "from a variable", 1)
        let secret: JSONValue = ["secret": ["env": "STILLPOINT_TEST_SECRET"]]
        let (configuration, secrets) = try resolver.resolve([
            "a": 1, "list": ["x", secret], "deep": ["deeper": ["token": secret]], "other": ["secret": "a word"],
        ])
        #expect(
            configuration == [
                "a": 1, "list": ["x", "from a variable"], "deep": ["deeper": ["token": "from a variable"]],
                "other": ["secret": "a word"],
            ])
        #expect(secrets == ["from a variable", "from a variable"])
    }

    @Test func `a secret that cannot be read says why`() throws {
        let directory = try TemporaryDirectory("secret")
        let path = try directory.write("x\n", to: "open")
        #expect(chmod(path, 0o644) == 0)
        let error = try failure(["file": .string(path)])
        #expect(error.code == .secretUnavailable)
        #expect(
            error.description
                == "the secret 'config.key' cannot be read from the file \(path): everybody can read or write it; "
                + "chmod o-rwx it")
        #expect(
            try failure(["file": "/nonexistent"]).description.hasSuffix("open /nonexistent: No such file or directory"))
        #expect(try failure(["env": "STILLPOINT_TEST_UNSET"]).description.hasSuffix("it is not set"))
        #expect(try failure(["command": ["false"]]).description.hasSuffix("must start with an absolute path"))
        #expect(try failure(["command": ["/bin/false"]]).description.hasSuffix("it exited with 1"))
        #expect(try failure(["command": ["/bin/true"]]).description.hasSuffix("it is empty"))
        #expect(
            try failure(["command": ["/bin/sleep", "60"]]).description.hasSuffix("it took longer than 0.5 seconds"))
        #expect(try failure(["command": ["/usr/bin/yes"]]).description.hasSuffix("it is longer than 32768 bytes"))
    }

    @Test func `a secret that is not named well is a wrong configuration`() throws {
        #expect(try failure(["file": "/a", "env": "B"]).code == .invalidConfiguration)
        #expect(try failure(["vault": "x"]).description.contains("'config.key.secret.vault' is not known here"))
        #expect(try failure(["fd": -1]).code == .invalidConfiguration)
    }
}
