import Foundation
import TestSupport
import Testing

/// Looking into snapshots and keeping passwords, by the programs as they are installed; restic as the judge.
@Suite(.enabled(if: Sandbox.canJudge)) struct QueryCommandTests {
    /// A host with two snapshots of one application, between which `one.txt` was changed.
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox.initialized("queries")
        try sandbox.addApplication("notes")
        try sandbox.run(
            "stillpoint backup -a notes -q && echo more >> notes/data/one.txt && stillpoint backup -a notes -q")
        return sandbox
    }

    private static let volume = "/applications/notes/volumes/data"

    @Test func `stats, find and diff say what restic says`() throws {
        let sandbox = try sandbox()
        try sandbox.run(
            """
            number() { python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())[sys.argv[1]])' $1; }
            for mode in restore-size files-by-contents raw-data blobs-per-file; do
                ours=$(stillpoint stats --json --mode $mode | number total_size)
                test "$ours" = "$(\(Sandbox.restic) stats -q --json --mode $mode | number total_size)"
            done
            stillpoint stats --mode raw-data | grep -q '^compression '
            stillpoint find one.txt 2>/dev/null | sed 's/.*://' | sort > ours
            \(Sandbox.restic) find -q one.txt | grep -v '^Found\\|^$' | sort > theirs
            diff theirs ours && test "$(wc -l < ours)" = 2
            stillpoint find one.txt -s latest --json | python3 -c '
            import json, sys
            entry = json.loads(sys.stdin.read())
            assert entry["path"].endswith("/one.txt") and entry["size"] == 9 and entry["type"] == "file", entry'
            stillpoint diff latest~1 latest | grep '^M.*/one.txt$'
            """)
        let old = try sandbox.run(
            "stillpoint snapshots --json | python3 -c 'import json,sys; print(*[s[\"id\"] for s in json.load(sys.stdin)])'"
        )
        try sandbox.run(
            """
            set -- \(old.trimmingCharacters(in: .whitespacesAndNewlines))
            stillpoint diff $1 $2 --json | grep '"change"' | sed 's/.*"path":"\\([^"]*\\)".*/\\1/' > ours
            \(Sandbox.restic) diff --json $1 $2 | grep '"change"' | sed 's/.*"path":"\\([^"]*\\)".*/\\1/' > theirs
            test -s ours && diff theirs ours
            """)
    }

    @Test func `what find prints, dump and ls take`() throws {
        let sandbox = try sandbox()
        let output = try sandbox.run("stillpoint dump \"$(stillpoint find -s latest one.txt 2>/dev/null)\"")
        #expect(output == "one\nmore\n")
        let listing = try sandbox.run("stillpoint ls \"$(stillpoint find -s latest --type d data 2>/dev/null)\"")
        #expect(listing == ["folder/", "large.bin", "one.txt"].map { "\(Self.volume)/\($0)\n" }.joined())
    }

    @Test func `a directory is dumped as an archive that tar restores, to a file or a pipe`() throws {
        let sandbox = try sandbox()
        try sandbox.run(
            """
            mkdir out piped
            stillpoint dump latest:\(Self.volume) | tar -x -C piped && rsync -aic --delete notes/data/ piped/
            stillpoint dump latest:\(Self.volume) -o archive.tar && tar -xf archive.tar -C out
            rsync -aic --delete notes/data/ out/ && test "$(stat -c %a archive.tar)" = 600
            stillpoint dump latest | tar -t > names && grep -q '^applications/notes/volumes/data/one.txt$' names
            ! ls -A | grep 'part$'
            """)
        try sandbox.expect(
            1, "No such file or directory", "stillpoint dump latest:\(Self.volume) -o missing/archive.tar")
        try sandbox.expect(2, "is a directory", "stillpoint dump latest:\(Self.volume) -o out")
        try sandbox.expect(1, "There is no /nowhere", "stillpoint dump latest:/nowhere")
        try sandbox.run("stillpoint dump latest:\(Self.volume)/one.txt -o /dev/null && test -c /dev/null")
        let full = try sandbox.result("stillpoint dump latest:\(Self.volume)/large.bin > /dev/full")
        #expect(full.status == 25, "\(full.output)")
    }

    @Test func `ls sorts, and shows sizes for people`() throws {
        let sandbox = try sandbox()
        let largest = try sandbox.run(
            "stillpoint ls latest:\(Self.volume) --recursive --long --human-readable --sort size --reverse | head -n 1")
        #expect(largest.contains("1.14 MiB") && largest.hasSuffix("/large.bin\n"))
        let names = try sandbox.run("stillpoint ls latest:\(Self.volume) --reverse")
        #expect(
            names.split(separator: "\n").map { $0.split(separator: "/").last ?? "" } == [
                "one.txt", "large.bin", "folder",
            ])
        try sandbox.expect(2, "sort", "stillpoint ls latest --sort colour")
    }

    @Test func `keys are added, changed and removed, and restic opens what is left`() throws {
        let sandbox = try sandbox()
        try sandbox.run(
            """
            echo second > second && echo third > third
            stillpoint key add --new-password-file second
            test "$(stillpoint key list | grep -c .)" = 3
            current=$(stillpoint key list | awk '$1 == "*" { print $2 }')
            ! stillpoint key remove $current 2> refused && grep -q 'opened the repository' refused
            stillpoint key passwd --new-password-file third --password-file second
            restic -r repository --password-file third --no-cache snapshots -q > /dev/null
            ! restic -r repository --password-file second --no-cache snapshots -q 2> /dev/null
            stillpoint key remove $current --password-file third
            ! restic -r repository --password-file password --no-cache snapshots -q 2> /dev/null
            restic -r repository --password-file third --no-cache check -q
            test "$(stillpoint key list -p third --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))')" = 1
            """)
        try sandbox.expect(12, "opens none", "stillpoint key list")
        try sandbox.expect(1, "No key is named", "stillpoint key remove abcdef -p third")
    }

    @Test func `plugins are listed and described without leaving a state directory`() throws {
        let sandbox = try Sandbox("no-state")
        try sandbox.run(
            """
            export TMPDIR=$PWD/tmp && mkdir tmp
            stillpoint plugin list | grep -q filesystem
            stillpoint plugin describe filesystem | grep -q configSchema || stillpoint plugin describe filesystem | grep -q path
            test ! -e state && test -z "$(ls -A tmp)"
            """)
    }

    @Test func `a destination whose directory is gone is no repository, exit 10`() throws {
        let sandbox = try sandbox()
        try sandbox.run("mv repository elsewhere")
        try sandbox.expect(10, "does not exist", "stillpoint snapshots")
        try sandbox.expect(10, "does not exist", "stillpoint check")
        try sandbox.run("mkdir repository")
        try sandbox.expect(10, "no repository", "stillpoint snapshots")
    }

    @Test func `questions that make no sense are refused with a sentence, exit 2`() throws {
        let sandbox = try Sandbox("questions")
        for (command, sentence) in [
            ("find", "Say what to look for"), ("find --blob", "Give the ids"), ("find --blob xyz", "is no id"),
            ("find --blob --tree 01234567", "Choose one"), ("find x --oldest yesterday", "is no time"),
            ("find x --min-size big", "is no size"), ("find x --type door", "is no type"),
            ("find x --oldest 2026-02-01 --newest 2026-01-01", "nothing can fit both"),
            ("stats --mode weight", "is no mode"), ("diff latest", "Missing expected argument"),
        ] {
            try sandbox.expect(2, sentence, "stillpoint \(command)")
        }
    }
}
