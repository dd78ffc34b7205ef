import Glibc
import TestSupport
import Testing

/// What goes wrong says so in one sentence and with the exit code of docs/ExitCodes.md.
@Suite(.enabled(if: Sandbox.canJudge)) struct FailureTests {
    @Test(arguments: [
        ("stillpoint --no-such-flag", "no-such-flag"),
        ("stillpoint backup --no-such-flag", "no-such-flag"),
        ("stillpoint no-such-command", "no-such-command"),
        ("stillpoint application validate missing.yaml", "missing.yaml"),
        ("stillpoint init --storage no-such-plugin --password-file password", "no-such-plugin"),
    ])
    func `a wrong command line is exit 2, or 1 where only a look at the machine shows it`(
        _ script: String, _ sentence: String
    ) throws {
        let result = try Sandbox().result(script)
        #expect([1, 2].contains(result.status), "\(result.output)")
        #expect(result.output.contains(sentence), "\(result.output)")
    }

    @Test func `a bad application file is exit 2 with file, line and what was probably meant`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.directory.write(
            """
            apiVersion: stillpoint/v1
            kind: Application
            metadata: {name: broken}
            spec:
              volume: []
              volumes:
                - {name: data, path: relative}
            """, to: "application.yaml")
        try sandbox.expect(2, "application.yaml:5", "stillpoint application validate application.yaml")
        try sandbox.expect(2, "application.yaml:7", "stillpoint application add application.yaml")
        try sandbox.expect(2, "volumes", "stillpoint application add application.yaml")
        #expect(!(try sandbox.run("stillpoint application list")).contains("broken"))
    }

    @Test func `a wrong password is exit 12`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.expect(
            12, "password", "echo wrong > wrong && chmod 600 wrong && stillpoint snapshots --password-file wrong")
    }

    @Test func `a repository that is gone is exit 10`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.expect(10, "repository", "rm -r repository/* && stillpoint snapshots")
    }

    @Test func `a repository that is there is not made anew`() throws {
        let sandbox = try Sandbox.initialized()
        let before = try sandbox.run("\(Sandbox.restic) cat config")
        try sandbox.expect(2, "destination", Sandbox.initialize)
        try sandbox.expect(1, "repository", "export STILLPOINT_STATE=$PWD/other; \(Sandbox.initialize)")
        #expect(try sandbox.run("\(Sandbox.restic) cat config") == before)
    }

    @Test(.enabled(if: geteuid() == 0, "a small file system is mounted"))
    func `a full disk is exit 25 and leaves a repository without errors`() throws {
        let sandbox = try Sandbox()
        try sandbox.run("echo probe > probe")
        let output = try sandbox.run(
            """
            unshare --mount --propagation private bash -euo pipefail -c '
                mkdir repository && mount -t tmpfs -o size=2m none repository
                \(Sandbox.initialize)
                mkdir -p big/data && head -c 20000000 /dev/urandom > big/data/random
                printf "%s\\n" "apiVersion: stillpoint/v1" "kind: Application" "metadata: {name: big}" \
                    "spec: {volumes: [{name: data, path: $PWD/big/data}]}" > big/application.yaml
                stillpoint application add big/application.yaml
                status=0; stillpoint backup || status=$?
                echo "status $status"
                \(Sandbox.restic) check
            '
            """)
        #expect(output.contains("status 25"), "\(output)")
        #expect(output.contains("no errors were found"), "\(output)")
    }

    @Test(.enabled(if: geteuid() == 0, "the run is made by another user"))
    func `a file that cannot be read is a warning that names it, and exit 3`() throws {
        let sandbox = try Sandbox()
        try sandbox.run("chmod 755 . && chown -R 65534:65534 .")
        let output = try sandbox.run(
            """
            setpriv --reuid=65534 --regid=65534 --clear-groups bash -euo pipefail -c '
                \(Sandbox.initialize)
                mkdir -p app/data && echo readable > app/data/open && echo secret > app/data/closed
                printf "%s\\n" "apiVersion: stillpoint/v1" "kind: Application" "metadata: {name: app}" \
                    "spec: {volumes: [{name: data, path: $PWD/app/data}]}" > app/application.yaml
                stillpoint application add app/application.yaml
            '
            chown 0:0 app/data/closed && chmod 600 app/data/closed
            status=0
            setpriv --reuid=65534 --regid=65534 --clear-groups stillpoint backup || status=$?
            echo "status $status"
            \(Sandbox.restic) dump latest /snapshot.json
            \(Sandbox.restic) ls latest
            """)
        #expect(output.contains("status 3"), "\(output)")
        #expect(output.contains("data/closed"), "\(output)")
        #expect(output.contains("/applications/app/volumes/data/open"), "\(output)")
        #expect(!output.contains("/applications/app/volumes/data/closed\n"), "\(output)")
    }
}
