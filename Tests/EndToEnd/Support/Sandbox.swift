import Glibc
import TestSupport
import Testing

/// A host of its own for one test: state, repository, password and applications below one directory, and the programs that
/// were built with the tests in PATH. Scripts run in that directory.
struct Sandbox {
    let directory: TemporaryDirectory

    /// An empty directory with a password file and nothing else.
    init(_ name: String = "end-to-end") throws {
        directory = try TemporaryDirectory(name)
        try directory.write("correct horse battery staple\n", to: "password")
    }

    /// A directory in which `stillpoint init` has made a repository of the filesystem plugin.
    static func initialized(_ name: String = "end-to-end") throws -> Sandbox {
        let sandbox = try Sandbox(name)
        try sandbox.run(Self.initialize)
        return sandbox
    }

    /// The command line that ``initialized(_:)`` uses.
    static let initialize =
        "mkdir -p repository && stillpoint init --storage filesystem --set path=repository --password-file password"

    /// What restic needs to open the same repository.
    static let restic = "restic -r repository --password-file password --no-cache"

    /// Runs a bash script and says how it ended.
    func result(_ script: String) throws -> ShellScript.Result {
        let environment = [
            "PATH": "\(Self.products):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "STILLPOINT_STATE": directory.path("state"), "XDG_CACHE_HOME": directory.path("cache"), "NO_COLOR": "1",
        ]
        return try #require(try ShellScript(script, environment: environment).run(in: directory), "bash is missing")
    }

    /// Runs a bash script that has to succeed.
    ///
    /// - Returns: what it printed on both streams.
    @discardableResult
    func run(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let result = try result(script)
        try #require(result.status == 0, "\(script)\n\(result.output)", sourceLocation: sourceLocation)
        return result.output
    }

    /// Runs a bash script that has to fail with `status` and to print `sentence`.
    func expect(
        _ status: Int32, _ sentence: String, _ script: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try result(script)
        #expect(result.status == status, "\(script)\n\(result.output)", sourceLocation: sourceLocation)
        #expect(
            result.output.contains(sentence), "\(script)\n\(result.output)", sourceLocation: sourceLocation)
    }

    /// The directory of the built programs: the one in which this test program lies.
    static let products: String = {
        var link = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &link, link.count)
        let path = String(decoding: link[0..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }()

    /// The top directory of this package.
    static let packageRoot: String = {
        // Tests/EndToEnd/Support/Sandbox.swift below it.
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
    }()

    /// True when the programs that judge are there.
    static let canJudge = ShellScript.isInstalled("restic", "rsync", "setfacl", "setfattr", "python3")
}
