import Foundation
import TestSupport
import Testing

/// forget, pin, unpin and tag on a repository that stock restic uses as well.
@Suite(.enabled(if: Sandbox.canJudge)) struct RetentionTests {
    /// A host with a repository that holds `count` partial snapshots of the application `notes`, each of other data.
    private func sandbox(_ count: Int) throws -> Sandbox {
        let sandbox = try Sandbox.initialized("retention")
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            for ((i = 0; i < \(count); i++)); do
                echo $i > notes/data/number
                stillpoint backup --application notes --quiet
            done
            """)
        return sandbox
    }

    /// The ids that stock restic lists, oldest first.
    private func ids(_ sandbox: Sandbox) throws -> [String] {
        let output = try sandbox.run("\(Sandbox.restic) snapshots --json -q")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]])
        return list.sorted { ($0["time"] as? String ?? "") < ($1["time"] as? String ?? "") }
            .compactMap { $0["id"] as? String }
    }

    @Test func `forgetting with prune frees what nobody needs any more, a dry run says how much`() throws {
        let sandbox = try Sandbox.initialized("forget-prune")
        try sandbox.addApplication("notes")
        let output = try sandbox.run(
            """
            head -c 3000000 /dev/urandom > notes/data/gone
            stillpoint backup --application notes --quiet
            rm notes/data/gone
            stillpoint backup --application notes --quiet
            size() { find repository/data -type f -printf '%s\\n' | awk '{ sum += $1 } END { print sum + 0 }'; }
            before=$(size)
            stillpoint forget --keep-last 1 --prune --dry-run
            test $(size) = $before
            stillpoint forget --keep-last 1 --prune --max-unused 0 --yes
            test $(( before - $(size) )) -ge 3000000
            stillpoint forget --keep-last 1 --prune --yes
            \(Sandbox.restic) check -q --read-data
            stillpoint restore latest --target out
            diff -r notes/data out/applications/notes/volumes/data
            """)
        #expect(output.contains("would free ") && output.contains("\nfreed "), "\(output)")
        try sandbox.expect(2, "--no-lock", "stillpoint forget --keep-last 1 --prune --dry-run --no-lock")
    }

    @Test func `a policy removes what it says, the pinned one stays, and restic agrees`() throws {
        let sandbox = try sandbox(4)
        let before = try ids(sandbox)
        #expect(before.count == 4)
        let pinned = try sandbox.run("stillpoint pin \(before[0].prefix(10))")
        #expect(pinned.hasPrefix("pinned \(before[0].prefix(8)), which is "))
        #expect(try sandbox.run("stillpoint pin latest --json").contains("\"changed_snapshots\":1"))
        #expect(try sandbox.run("stillpoint unpin latest").hasPrefix("unpinned "))

        let changed = try ids(sandbox)
        #expect(changed[0] != before[0] && changed[1] == before[1] && changed[3] != before[3])
        #expect(
            try sandbox.run("\(Sandbox.restic) cat snapshot \(changed[3]) -q").contains(
                "\"original\": \"\(before[3])\""))
        let theirs = try sandbox.run("\(Sandbox.restic) forget --dry-run --json -q --keep-last 1 --keep-tag pinned")
        let ours = try sandbox.run("stillpoint forget --dry-run --json --keep-last 1")
        let removed = try removedIDs(ours)
        #expect(Set(removed) == [changed[1], changed[2]])
        for id in removed { #expect(theirs.contains("\"id\":\"\(id)\"")) }
        #expect(try ids(sandbox) == changed, "a dry run removes nothing")

        let text = try sandbox.run("stillpoint forget --dry-run --keep-last 1")
        #expect(text.contains("keep    \(changed[0].prefix(8))") && text.contains("pinned"))
        #expect(text.contains("1 last snapshots are newer") && text.contains("would remove 2 snapshots"))
        #expect(try removedIDs(sandbox.run("stillpoint forget --json --yes --keep-last 1")).count == 2)
        #expect(try ids(sandbox) == [changed[0], changed[3]])
        try sandbox.run("\(Sandbox.restic) check --read-data -q")
        // The catalog knows, without being rebuilt by a listing.
        try sandbox.run(
            "stillpoint restore \(changed[0].prefix(8)) --target out && diff -r out/applications/notes/volumes/data/number <(echo 0)"
        )
        let catalog = try sandbox.run(
            "python3 -c \"import sqlite3; print(sqlite3.connect('state/catalog.sqlite3').execute('select count(*) from snapshots').fetchone()[0])\""
        )
        #expect(catalog == "2\n")
    }

    private func removedIDs(_ output: String) throws -> [String] {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        return try #require(object["removed"] as? [String])
    }

    @Test func `what nobody confirmed, what is pinned and what says nothing is not removed`() throws {
        let sandbox = try sandbox(2)
        let before = try ids(sandbox)
        try sandbox.expect(2, "There is no terminal", "setsid stillpoint forget --keep-last 1")
        try sandbox.expect(2, "The policy has no rule", "stillpoint forget --yes")
        try sandbox.expect(2, "The policy has no rule", "stillpoint forget --yes --keep-last 0")
        try sandbox.expect(2, "is no span of time", "stillpoint forget --yes --keep-within 7")
        try sandbox.expect(2, "not both", "stillpoint forget --yes --keep-last 1 latest")
        try sandbox.expect(1, "would remove all 2 snapshots", "stillpoint forget --yes --keep-tag never")
        try sandbox.expect(1, "No snapshot is named", "stillpoint forget --yes ffffffffffff")
        try sandbox.expect(2, "stillpoint sets tags of this form itself", "stillpoint tag --remove kind:partial latest")
        try sandbox.expect(2, "Say which snapshots", "stillpoint tag --add x")
        #expect(try ids(sandbox) == before)
        try sandbox.run("stillpoint pin \(before[0])")
        let pinned = try ids(sandbox)
        try sandbox.expect(1, "is pinned", "stillpoint forget --yes \(pinned[0]) \(pinned[1])")
        #expect(try ids(sandbox) == pinned)
        #expect(try sandbox.run("stillpoint forget --yes \(pinned[1].prefix(8))").contains("removed 1 snapshot"))
        #expect(try ids(sandbox) == [pinned[0]])
    }

    @Test func `on a terminal the word has to be typed`() throws {
        let sandbox = try sandbox(2)
        // pty.spawn makes a terminal of its own for the command; what is typed comes from here.
        try sandbox.directory.write(
            """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp("stillpoint", ["stillpoint", "forget", "--keep-last", "1"])
            seen, answered = b"", False
            while True:
                try:
                    part = os.read(terminal, 4096)
                except OSError:
                    break
                seen += part
                if not part:
                    break
                if b"for good: " in seen and not answered:
                    os.write(terminal, sys.argv[1].encode() + b"\\n")
                    answered = True
            print(seen.decode())
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """, to: "answer.py")
        try sandbox.expect(1, "'forget' was not typed; nothing was removed", "python3 answer.py yes")
        #expect(try ids(sandbox).count == 2)
        let output = try sandbox.run("python3 answer.py forget")
        #expect(output.contains("Type 'forget' to remove 1 snapshot for good: "))
        #expect(output.contains("removed 1 snapshot"))
        #expect(try ids(sandbox).count == 1)
    }

    @Test func `snapshots of plain restic are left alone unless they are asked for`() throws {
        let sandbox = try sandbox(2)
        try sandbox.run(
            "for i in 1 2 3; do \(Sandbox.restic) backup -q --host elsewhere --tag theirs notes/data; done")
        #expect(try ids(sandbox).count == 5)
        let first = try sandbox.run("stillpoint forget --yes --keep-last 1")
        #expect(first.contains("removed 1 snapshot") && first.contains("left alone: 3 of plain restic"))
        #expect(try ids(sandbox).count == 4)
        try sandbox.run("stillpoint tag --set new,tags --host elsewhere && stillpoint pin latest --quiet")
        let tags = try sandbox.run(
            "\(Sandbox.restic) snapshots --tag new,tags --json -q | grep -o '\"tags\":.\"new\",\"tags\".' | wc -l")
        #expect(tags == "3\n")
        #expect(
            try sandbox.run("stillpoint forget --yes --foreign --host elsewhere --keep-last 1").contains(
                "removed 2 snapshots"))
        #expect(try ids(sandbox).count == 2)
        try sandbox.run("\(Sandbox.restic) check -q")
    }

    @Test func `snapshots carry the offset of this machine's clock, by which days are counted`() throws {
        let sandbox = try Sandbox.initialized("retention-zone")
        try sandbox.addApplication("notes")
        // A zone as POSIX writes it, so that no database of zones is needed; it is five and a half hours east.
        let output = try sandbox.run(
            """
            export TZ=XST-5:30
            stillpoint backup --application notes --quiet
            stillpoint forget --dry-run --keep-daily 1
            \(Sandbox.restic) snapshots --json -q
            """)
        let pattern = try Regex("\"time\":\"[0-9T:.-]+\\+05:30\"")
        #expect(output.contains(pattern), "\(output)")
        #expect(output.contains("+05:30  daily snapshot"), "\(output)")
    }

    @Test func `forgetting waits for others, and others for it`() throws {
        let sandbox = try sandbox(2)
        // A backup that never ends holds a shared lock of restic's.
        try sandbox.run(
            """
            mkfifo pipe
            sleep 600 > pipe & echo $! > writer
            \(Sandbox.restic) backup -q --stdin < pipe & echo $! > pid
            for ((i = 0; i < 3000; i++)); do
                if ls repository/locks/* > ls.log 2>&1; then break; fi
                read -t 0.01 <> <(:) || :
            done
            """)
        try sandbox.expect(11, "locked by", "stillpoint forget --yes --keep-last 1")
        try sandbox.expect(11, "locked by", "stillpoint forget --dry-run --keep-last 1")
        try sandbox.expect(11, "locked by", "stillpoint pin latest")
        #expect(
            try sandbox.run("stillpoint forget --dry-run --no-lock --keep-last 1").contains("would remove 1 snapshot"))
        try sandbox.run("kill -9 $(cat pid) $(cat writer)")
        #expect(try sandbox.run("stillpoint forget --yes --keep-last 1 --retry-lock 1m").contains("removed 1 snapshot"))
        #expect(try ids(sandbox).count == 1)
    }
}
