import Glibc
import HostServices
import TestSupport
import Testing

@Suite struct StatePathsTests {
    private func paths(_ variables: [String: String], state: String? = nil, isRoot: Bool = false) throws -> StatePaths {
        try StatePaths(state: state, environment: Environment(variables), isRoot: isRoot)
    }

    @Test func `what the operator says wins and takes everything with it`() throws {
        let variables = ["STILLPOINT_STATE": "/variable", "STATE_DIRECTORY": "/systemd", "HOME": "/home/x"]
        #expect(try paths(variables, state: "/option") == StatePaths(root: "/option", spool: "/option/spool"))
        #expect(try paths(variables) == StatePaths(root: "/variable", spool: "/variable/spool"))
        let relative = try paths([:], state: "here")
        #expect(relative.root.hasPrefix("/") && relative.root.hasSuffix("/here"))
    }

    @Test func `systemd's directories come next`() throws {
        #expect(
            try paths(["STATE_DIRECTORY": "/var/lib/s:/other", "RUNTIME_DIRECTORY": "/run/s"])
                == StatePaths(root: "/var/lib/s", spool: "/run/s/spool"))
        #expect(
            try paths(["STATE_DIRECTORY": "/var/lib/s", "CACHE_DIRECTORY": "/var/cache/s"])
                == StatePaths(root: "/var/lib/s", spool: "/var/cache/s/spool", cache: "/var/cache/s"))
    }

    @Test func `root has the system's directories, others those of their home`() throws {
        #expect(
            try paths(["HOME": "/root"], isRoot: true)
                == StatePaths(
                    root: "/var/lib/stillpoint", spool: "/var/cache/stillpoint/spool", cache: "/var/cache/stillpoint"))
        #expect(
            try paths(["HOME": "/home/x"])
                == StatePaths(
                    root: "/home/x/.local/state/stillpoint", spool: "/home/x/.cache/stillpoint/spool",
                    cache: "/home/x/.cache/stillpoint"))
        #expect(
            try paths(["HOME": "/home/x", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"])
                == StatePaths(root: "/s/stillpoint", spool: "/c/stillpoint/spool", cache: "/c/stillpoint"))
    }

    @Test func `a value that cannot be used is an error`() {
        for variables in [[:], ["HOME": "/h", "XDG_STATE_HOME": "relative"], ["STATE_DIRECTORY": "relative"]] {
            #expect(throws: ServiceError.self) { try paths(variables) }
        }
        #expect(throws: ServiceError.self) { try paths([:], state: "") }
    }

    @Test func `directories are made for their owner only, and secrets that others can read are refused`() throws {
        let directory = try TemporaryDirectory("state")
        let paths = StatePaths(root: directory.path("a/b"), spool: directory.path("spool"))
        #expect(!paths.exists)
        try paths.prepare()
        var status = stat()
        #expect(stat(paths.secrets, &status) == 0 && status.st_mode & 0o7777 == 0o700)
        #expect(chmod(paths.secrets, 0o750) == 0)
        let error = #expect(throws: ServiceError.self) { try paths.prepare() }
        #expect(error?.code == .exposed)
    }
}
