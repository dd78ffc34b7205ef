import Glibc
import JSON
import JSONRPC
import PluginProtocol
import TestSupport
import Testing

@Suite struct `Plugin hook-exec` {
    private typealias Fixture = HookFixture

    @Test func `a command gets the event in its environment, and its lines become log lines`() throws {
        let fixture = try Fixture(
            [
                "backup.pre": """
                env | grep ^STILLPOINT_ | grep -v CONTEXT= | grep -v STATE_FILE | sort > $D/env
                echo "$STILLPOINT_CONTEXT" > $D/context; echo "$1|$EXTRA|$PWD" > $D/other
                echo "out line"; echo "error line" >&2; printf 'no line feed'
                """
            ], members: ["backup.pre": ["env": ["EXTRA": "more"], "directory": "/usr"]])
        let context: JSONObject = [
            "application": "tracker", "job": ["name": "nightly", "number": 7], "sources": ["/srv/a", "/srv/b c"],
            "dry": true, "none": nil,
        ]
        let id = try fixture.host.send("hook.run", Fixture.parameters(.backupPre, context: context).encoded)
        #expect(try fixture.host.response()?.outcome == .success(["action": "continue"]))
        let lines = try fixture.host.notifications.map { try LogParameters($0.params) }
        #expect(Set(lines.map(\.message)) == ["out line", "error line", "no line feed"])
        #expect(lines.allSatisfy { $0.request == id })
        #expect(lines.first { $0.message == "error line" }?.level == .warning)
        #expect(lines.first { $0.message == "out line" }?.level == .info)
        let environment = String(decoding: try fixture.directory.read("env"), as: UTF8.self)
        #expect(
            environment == """
                STILLPOINT_APPLICATION=tracker
                STILLPOINT_ATTEMPT=1
                STILLPOINT_DEADLINE_MS=60000
                STILLPOINT_DRY=true
                STILLPOINT_EVENT=backup.pre
                STILLPOINT_JOB=nightly
                STILLPOINT_JOB_NAME=nightly
                STILLPOINT_JOB_NUMBER=7
                STILLPOINT_RUN=run-1
                STILLPOINT_SOURCES=/srv/a

                """)
        #expect(try JSONValue.parse(try fixture.directory.read("context")) == .object(context))
        #expect(String(decoding: try fixture.directory.read("other"), as: UTF8.self) == "argument one|more|/usr\n")
    }

    @Test func `an event without command goes on, an unknown one is unsupported`() throws {
        let fixture = try Fixture(["backup.pre": "exit 0"])
        #expect(try fixture.run(Fixture.parameters(.notify)) == HookRunResult())
        #expect(
            try fixture.run(Fixture.parameters(.backupPost, run: "never seen", outcome: .unknown)) == HookRunResult())
        #expect(try fixture.failure(Fixture.parameters(HookEvent(rawValue: "moon.rise")))?.code == .unsupported)
    }

    @Test func `exit 75 skips with the last line as reason, others fail with status and last lines`() throws {
        let fixture = try Fixture([
            "backup.pre": "echo first; echo 'nothing changed'; exit 75",
            "restore.pre": "echo a; echo 'no such unit' >&2; exit 3",
            "notify": "kill -9 $$",
        ])
        #expect(
            try fixture.run(Fixture.parameters(.backupPre)) == HookRunResult(action: .skip, reason: "nothing changed"))
        let failed = try #require(try fixture.failure(Fixture.parameters(.restorePre)))
        #expect(failed.code == .hookFailed)
        #expect(failed.message.contains("for restore.pre exited with 3"))
        #expect(failed.detail?.contains("no such unit") == true)
        #expect(try fixture.failure(Fixture.parameters(.notify))?.message.contains("was ended by signal 9") == true)
    }

    @Test func `a rehearsal check is a verdict`() throws {
        let good = try Fixture(["rehearsal.check": "echo '12 rows'"])
        #expect(
            try good.run(Fixture.parameters(.rehearsalCheck)).checks
                == [HookRunResult.Check(name: "rehearsal.check", ok: true, detail: "12 rows")])
        let bad = try Fixture(["rehearsal.check": "echo 'rows are missing'; exit 1"])
        #expect(
            try bad.run(Fixture.parameters(.rehearsalCheck)).checks
                == [HookRunResult.Check(name: "rehearsal.check", ok: false, detail: "exited with 1\nrows are missing")])
    }

    @Test func `state goes from pre to the host and back to post`() throws {
        let fixture = try Fixture([
            "backup.pre": #"printf 'lv "123" \\ ü' > $STILLPOINT_STATE_FILE"#,
            "backup.post": #"printf '%s %s' "$STILLPOINT_STATE" "$STILLPOINT_OUTCOME" > $D/trace"#,
        ])
        let state = try fixture.run(Fixture.parameters(.backupPre)).state
        #expect(state == "lv \"123\" \\ ü")
        _ = try fixture.run(Fixture.parameters(.backupPost, outcome: .partial, state: state))
        #expect(fixture.trace == ["lv \"123\" \\ ü partial"])
        #expect(try fixture.directory.names().contains("tmp"))
        #expect(try fixture.process.close() == 0)
    }

    @Test func `a state of more than 8 KiB fails the hook`() throws {
        let fixture = try Fixture(["backup.pre": "head -c 8193 /dev/zero | tr '\\0' x > $STILLPOINT_STATE_FILE"])
        #expect(try fixture.failure(Fixture.parameters(.backupPre))?.code == .hookFailed)
    }

    @Test func `a timeout ends the whole process group, also what ignores SIGTERM`() throws {
        let fixture = try Fixture(
            [
                "notify": """
                trap '' TERM; bash -c 'trap "" TERM; echo $$ > $0/child; while :; do sleep 1; done' $D &
                echo $$ > $D/leader; wait; while :; do sleep 1; done
                """
            ], timeouts: ["notify": 2000])
        let error = try #require(try fixture.failure(Fixture.parameters(.notify)))
        #expect(error.code == .hookFailed)
        #expect(error.message.contains("took too long"))
        let leader = try #require(
            pid_t(String(decoding: try fixture.directory.read("leader").dropLast(), as: UTF8.self)))
        #expect(eventually { !ProcessTable.hasLivingMember(group: leader) })
        #expect(try fixture.run(Fixture.parameters(.backupPre)) == HookRunResult(), "the plugin lives")
    }

    @Test func `the host's deadline shortens the timeout, so that the answer comes in time`() throws {
        let fixture = try Fixture(["notify": "exec sleep 60"])
        let start = ContinuousClock.now
        #expect(try fixture.failure(Fixture.parameters(.notify, deadline: 600))?.code == .hookFailed)
        #expect(ContinuousClock.now - start < .seconds(50))
    }

    @Test func `cancel stops pre, and post still runs`() throws {
        let fixture = try Fixture([
            "backup.pre": "echo pre >> $D/trace; echo pre-has-begun; exec sleep 60",
            "backup.post": "echo post >> $D/trace",
        ])
        let id = try fixture.host.send("hook.run", Fixture.parameters(.backupPre).encoded)
        try fixture.host.waitForLog("pre-has-begun")
        try fixture.host.notify("cancel", ["request": .string(id)])
        guard case .failure(let error)? = try fixture.host.response()?.outcome else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .cancelled)
        _ = try fixture.run(Fixture.parameters(.backupPost, outcome: .cancelled))
        #expect(fixture.trace == ["pre", "post"])
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["pre", "post"], "it was released, so not again at the end")
    }

    @Test func `a dry run starts nothing, and finds what cannot be executed`() throws {
        let fixture = try Fixture(
            ["backup.pre": "echo pre >> $D/trace", "backup.post": "echo post >> $D/trace"],
            members: ["backup.post": ["command": ["/nonexistent/resume"]]])
        #expect(try fixture.run(Fixture.parameters(.backupPre, dryRun: true)) == HookRunResult())
        let error = try fixture.failure(Fixture.parameters(.backupPost, dryRun: true))
        #expect(error?.code == .hookFailed)
        #expect(error?.message == "cannot execute '/nonexistent/resume': No such file or directory")
        #expect(try fixture.host.failure("check")?.code == .hookFailed)
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == [])
    }

    // MARK: The dead man

    private static let pair = [
        "backup.pre": "echo pre $STILLPOINT_RUN >> $D/trace; printf S$STILLPOINT_RUN > $STILLPOINT_STATE_FILE",
        "backup.post": "echo post $STILLPOINT_RUN $STILLPOINT_OUTCOME $STILLPOINT_STATE >> $D/trace",
    ]

    @Test func `at the end of the input, post runs by itself, the last first`() throws {
        let fixture = try Fixture(Self.pair)
        _ = try fixture.run(Fixture.parameters(.backupPre, run: "1"))
        _ = try fixture.run(Fixture.parameters(.backupPre, run: "2"))
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["pre 1", "pre 2", "post 2 unknown S2", "post 1 unknown S1"])
    }

    @Test func `SIGTERM does the same`() throws {
        let fixture = try Fixture(Self.pair)
        _ = try fixture.run(Fixture.parameters(.backupPre))
        kill(fixture.process.pid, SIGTERM)
        #expect(try fixture.process.wait() == 0)
        #expect(fixture.trace == ["pre run-1", "post run-1 unknown Srun-1"])
    }

    @Test func `restore.pre is paired with restore.post in the same way`() throws {
        let fixture = try Fixture(["restore.pre": "echo stop >> $D/trace", "restore.post": "echo start >> $D/trace"])
        _ = try fixture.run(Fixture.parameters(.restorePre))
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["stop", "start"])
    }

    @Test func `a pre that still runs at the end of the input is stopped, then post runs`() throws {
        let fixture = try Fixture([
            "backup.pre": "trap 'echo stopped >> $D/trace; exit 1' TERM; echo started; while :; do sleep 0.1; done",
            "backup.post": "echo post $STILLPOINT_OUTCOME >> $D/trace",
        ])
        try fixture.host.send("hook.run", Fixture.parameters(.backupPre).encoded)
        try fixture.host.waitForLog("started")
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["stopped", "post unknown"])
    }

    @Test func `after a post that came and succeeded, nothing runs at the end; after one that failed, it runs again`()
        throws
    {
        let fixture = try Fixture([
            "backup.pre": "echo pre >> $D/trace",
            "backup.post": "echo post $STILLPOINT_OUTCOME >> $D/trace; [ ! -e $D/fail ]",
        ])
        _ = try fixture.run(Fixture.parameters(.backupPre, run: "1"))
        _ = try fixture.run(Fixture.parameters(.backupPost, run: "1", outcome: .ok))
        _ = try fixture.run(Fixture.parameters(.backupPre, run: "2"))
        try fixture.directory.write("", to: "fail")
        #expect(try fixture.failure(Fixture.parameters(.backupPost, run: "2", outcome: .failed))?.code == .hookFailed)
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["pre", "post ok", "pre", "post failed", "post unknown"])
    }

    @Test func `a post that is read together with the end of the input runs, and once`() throws {
        let fixture = try Fixture(Self.pair)
        _ = try fixture.run(Fixture.parameters(.backupPre))
        try fixture.host.send("hook.run", Fixture.parameters(.backupPost, outcome: .ok, state: "x").encoded)
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["pre run-1", "post run-1 ok x"])
    }

    @Test func `when max_hold_ms is over, post runs by itself, and the host's own post is welcome afterwards`() throws {
        let fixture = try Fixture(Self.pair)
        _ = try fixture.run(Fixture.parameters(.backupPre, context: ["max_hold_ms": 50]))
        #expect(eventually { fixture.trace.count == 2 })
        _ = try fixture.run(Fixture.parameters(.backupPost, outcome: .ok, state: "x"))
        #expect(try fixture.process.close() == 0)
        #expect(fixture.trace == ["pre run-1", "post run-1 unknown Srun-1", "post run-1 ok x"])
        #expect(fixture.host.logged.contains { $0.contains("the longest time the application may be held is over") })
    }

    @Test func `a host that lives but does not read cannot keep the application held`() throws {
        let fixture = try Fixture([
            "backup.pre": "echo pre >> $D/trace",
            // More than a pipe holds.
            "backup.post":
                "for i in {1..3000}; do echo 'a line that nobody will ever read, and more of it'; done; echo post >> $D/trace",
        ])
        _ = try fixture.run(Fixture.parameters(.backupPre, context: ["max_hold_ms": 1]))
        #expect(eventually { fixture.trace == ["pre", "post"] })
    }

    @Test func `when the plugin is killed, a pre that runs ends with it`() throws {
        let fixture = try Fixture(["backup.pre": "echo $$ > $D/pid; echo started; exec sleep 60"])
        try fixture.host.send("hook.run", Fixture.parameters(.backupPre).encoded)
        try fixture.host.waitForLog("started")
        let pid = try #require(pid_t(String(decoding: try fixture.directory.read("pid").dropLast(), as: UTF8.self)))
        kill(fixture.process.pid, SIGKILL)
        #expect(try fixture.process.wait() == 128 + SIGKILL)
        #expect(eventually { !ProcessTable.isLiving(pid) })
    }

    @Test func `a configuration with an unknown event is refused by name`() throws {
        let process = try PluginProcess(Places.plugin("stillpoint-hook-exec"))
        #expect {
            try process.conversation.open(["events": ["backup.before": ["command": ["true"]]]])
        } throws: { error in
            guard let error = error as? RPCError else { return false }
            return error.code == .badConfig && error.message.contains("config.events.backup.before")
        }
    }
}
