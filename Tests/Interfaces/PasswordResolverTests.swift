import Glibc
import HostServices
import SnapshotModel
import TestSupport
import Testing

@Suite struct PasswordResolverTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("password")
        for name in ["option", "own", "restic", "remembered", "credentials/stillpoint-password"] {
            try directory.write("\(name)\n", to: name)
        }
    }

    private func password(
        file: String? = nil, command: String? = nil, _ variables: [String: String] = [:],
        remembered: PasswordSource = .none, prompt: (@Sendable (String) throws -> String?)? = nil,
        confirming: Bool = false
    ) throws -> String {
        let resolver = PasswordResolver(
            file: file, command: command, environment: Environment(variables), prompt: prompt)
        return String(
            decoding: try resolver.password(remembered: remembered, confirming: confirming), as: UTF8.self)
    }

    @Test func `the first source that is named wins`() throws {
        var variables = [
            "STILLPOINT_PASSWORD_FILE": directory.path("own"), "STILLPOINT_PASSWORD_COMMAND": "echo own command",
            "STILLPOINT_PASSWORD": "own variable", "RESTIC_PASSWORD_FILE": directory.path("restic"),
            "RESTIC_PASSWORD": "restic variable", "CREDENTIALS_DIRECTORY": directory.path("credentials"),
        ]
        let remembered = PasswordSource.file(directory.path("remembered"))
        func found(file: String? = nil, command: String? = nil) throws -> String {
            try password(file: file, command: command, variables, remembered: remembered, prompt: { _ in "typed" })
        }
        #expect(try found(file: directory.path("option"), command: "echo command") == "option")
        #expect(try found(command: "echo command") == "command")
        #expect(try found() == "own")
        variables["STILLPOINT_PASSWORD_FILE"] = nil
        #expect(try found() == "own command")
        variables["STILLPOINT_PASSWORD_COMMAND"] = nil
        #expect(try found() == "own variable")
        variables["STILLPOINT_PASSWORD"] = ""
        #expect(try found() == "restic")
        variables["RESTIC_PASSWORD_FILE"] = nil
        #expect(try found() == "restic variable")
        variables["RESTIC_PASSWORD"] = nil
        #expect(try found() == "remembered")
        #expect(
            try password(variables, prompt: { _ in "typed" }) == "credentials/stillpoint-password")
        variables["CREDENTIALS_DIRECTORY"] = nil
        #expect(try password(variables, prompt: { _ in "typed" }) == "typed")
    }

    @Test func `a named source that fails is an error, and no other is tried`() {
        #expect(throws: ServiceError.self) {
            try password(file: directory.path("nothing"), ["STILLPOINT_PASSWORD": "x"])
        }
        #expect(throws: ServiceError.self) { try password(command: "exit 3", ["STILLPOINT_PASSWORD": "x"]) }
        #expect(throws: ServiceError.self) { try password(command: "true", ["STILLPOINT_PASSWORD": "x"]) }
    }

    @Test func `line ends behind a password do not count, spaces do`() throws {
        try directory.write(" a b \r\n\n", to: "spaces")
        #expect(try password(file: directory.path("spaces")) == " a b ")
    }

    @Test func `no password at all says how to give one`() {
        let error = #expect(throws: ServiceError.self) { try password() }
        #expect(error?.code == .notSetUp)
        #expect(error?.message.contains("--password-file FILE") == true)
    }

    @Test func `a new password is typed twice and is not empty`() throws {
        #expect(try password(prompt: { _ in "same" }, confirming: true) == "same")
        #expect(throws: ServiceError.self) { try password(prompt: { _ in "" }, confirming: true) }
        #expect(throws: ServiceError.self) { try password(prompt: { $0 }, confirming: true) }
    }

    @Test func `a file or a command is remembered, a password never`() throws {
        func remembered(_ variables: [String: String], file: String? = nil) throws -> PasswordSource {
            try PasswordResolver(file: file, command: nil, environment: Environment(variables), prompt: nil)
                .rememberedSource()
        }
        #expect(try remembered(["STILLPOINT_PASSWORD": "x"]) == .none)
        #expect(try remembered([:], file: "/f") == .file("/f"))
        #expect(try remembered(["RESTIC_PASSWORD_COMMAND": "echo x"]) == .command(["/bin/sh", "-c", "echo x"]))
    }
}
