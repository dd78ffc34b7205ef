import TestSupport
import Testing

/// `kill -9` in the middle of a backup: nobody is left frozen, and nothing is lost.
@Suite(.enabled(if: Sandbox.canJudge)) struct KilledHostTests {
    @Test func `the application is released, the repository is sound and the next backup succeeds`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        // The dump never ends by itself, so the application is held until something kills the host.
        try sandbox.run(
            """
            cp notes/application.yaml whole.yaml
            sed -i "s#command: .seq, .1000..#command: [sh, -c, 'echo > $PWD/begun; exec sleep 600']#" notes/application.yaml
            stillpoint application add notes/application.yaml
            """)
        let output = try sandbox.run(
            """
            wait_for() { for ((i = 0; i < 6000; i++)); do if eval "$1"; then return; fi; read -t 0.01 <> <(:) || :; done
                echo "waited in vain: $1"; exit 1; }
            stillpoint backup > backup.log 2>&1 &
            host=$!
            wait_for 'test -e begun'
            test -e notes/held
            kill -9 $host
            wait $host || echo "status $?"
            # The plugin sees the end of its input.
            wait_for 'test ! -e notes/held'
            : > notes/held
            # The next command, whatever it is, sends the release once more.
            stillpoint runs
            wait_for 'test ! -e notes/held'
            \(Sandbox.restic) check --read-data --no-lock
            mv whole.yaml notes/application.yaml
            stillpoint application add notes/application.yaml
            stillpoint backup
            # The lock of the killed run was proven dead and removed.
            \(Sandbox.restic) check --read-data
            """)
        #expect(output.contains("status 137"), "\(output)")
        #expect(try sandbox.calls(of: "notes").filter { $0 == "backup.post" }.count >= 3)
    }

    @Test func `restic asks whether we live, and we go on`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        let output = try sandbox.run(
            """
            sed -i "s#command: .seq, .1000..#command: [sh, -c, 'echo > $PWD/begun; exec sleep 600']#" notes/application.yaml
            stillpoint application add notes/application.yaml
            wait_for() { for ((i = 0; i < 6000; i++)); do if eval "$1"; then return; fi; read -t 0.01 <> <(:) || :; done
                echo "waited in vain: $1"; exit 1; }
            stillpoint backup > backup.log 2>&1 &
            host=$!
            wait_for 'test -e begun'
            # It sends SIGHUP to the holder of each lock of this machine.
            \(Sandbox.restic) unlock
            echo "locks left: $(\(Sandbox.restic) list locks --no-lock | wc -l)"
            kill -HUP $host
            test -e notes/held && kill -0 $host && echo "still there"
            kill -TERM $host
            wait $host || echo "status $?"
            """)
        #expect(output.contains("locks left: 1"), "\(output)")
        #expect(output.contains("still there") && output.contains("status 143"), "\(output)")
    }
}
