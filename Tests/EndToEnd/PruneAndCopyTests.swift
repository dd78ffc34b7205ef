import TestSupport
import Testing

/// The commands `prune` and `copy` as they are given, with restic as the judge.
@Suite(.enabled(if: Sandbox.canJudge)) struct PruneAndCopyTests {
    /// Two snapshots of a directory by restic, the first of them forgotten: most of its data is needed by nobody.
    private static let halfForgotten = """
        mkdir source && head -c 3000000 /dev/urandom > source/goes && head -c 800000 /dev/urandom > source/stays
        \(Sandbox.restic) backup -q source
        rm source/goes
        \(Sandbox.restic) backup -q source
        \(Sandbox.restic) forget -q --keep-last 1
        """

    @Test func `a dry run shows what a prune then does, and restic finds nothing wrong`() throws {
        let sandbox = try Sandbox.initialized("prune")
        try sandbox.run(Self.halfForgotten)
        let listing = "(cd repository && find . -type f | sort | xargs sha256sum)"
        let plan = try sandbox.run(
            """
            \(listing) > before
            stillpoint prune --dry-run --max-unused 0 -v
            \(listing) | cmp - before
            stillpoint prune --dry-run --max-unused 0 --json | python3 -c '
            import json, sys
            plan = json.load(sys.stdin)
            assert plan["dry_run"] and plan["snapshots"] == 1 and plan["freed_bytes"] > 3000000, plan
            assert plan["packs_repacked"] + plan["packs_removed"] > 0 and plan["packs"][0]["why"], plan'
            """)
        #expect(plan.contains("would free") && plan.contains("WHY"), "\(plan)")
        let done = try sandbox.run("stillpoint prune --max-unused 0")
        #expect(done.contains("freed "), "\(done)")
        try sandbox.run(
            """
            test $(du -sk repository/data | cut -f1) -lt 1200
            \(Sandbox.restic) check -q --read-data
            \(Sandbox.restic) restore -q latest --target out && diff -r source out/source
            stillpoint prune --max-unused 0 | grep 'freed 0 B'
            """)
    }

    @Test func `while somebody backs up it waits or is refused`() throws {
        let sandbox = try Sandbox.initialized("prune-locked")
        try sandbox.run(
            """
            mkfifo pipe
            \(Sandbox.restic) backup -q --stdin < pipe & backup=$!
            exec 3> pipe
            for ((i = 0; i < 3000; i++)); do ls repository/locks/* > list 2>&1 && break; read -t 0.01 <> <(:) || :; done
            status=0; stillpoint prune || status=$?
            test $status = 11
            stillpoint prune --retry-lock 60s 3>&- & prune=$!
            echo data >&3; exec 3>&-
            wait $backup && wait $prune
            \(Sandbox.restic) check -q --read-data
            """)
    }

    @Test func `a snapshot that cannot be read ends it with 24 and its name`() throws {
        let sandbox = try Sandbox.initialized("prune-damaged")
        try sandbox.run(Self.halfForgotten)
        let id = try sandbox.run("ls repository/snapshots").split(separator: "\n").last.map(String.init) ?? ""
        try sandbox.expect(
            24, id,
            "chmod +w repository/snapshots/*; echo x >> repository/snapshots/\(id); stillpoint prune")
        try sandbox.expect(2, "no percentage", "stillpoint prune --max-unused 120%")
    }

    @Test func `snapshots are copied there and back, each once`() throws {
        let sandbox = try Sandbox.initialized("copy")
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            stillpoint backup && stillpoint backup --application notes
            echo other > other-password
            copy() { stillpoint copy --to filesystem --to-set path=second --to-password-file other-password "$@"; }
            mkdir second
            copy --init --application notes latest
            copy --init
            copy | grep '^0 copied, 2 there already'
            copy --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)["present"]) == 2'
            second="restic -r second --password-file other-password --no-cache"
            $second check -q --read-data
            test $($second snapshots --json | grep -o short_id | wc -l) = 2
            $second cat config | grep $(\(Sandbox.restic) cat config | grep chunker_polynomial | cut -d'"' -f4)
            """)
        let back = try sandbox.run(
            """
            export STILLPOINT_FROM_PASSWORD_FILE=other-password
            stillpoint copy --from filesystem --from-set path=second
            restic -r second --password-file other-password --no-cache backup -q notes/data
            stillpoint copy --from filesystem --from-set path=second
            \(Sandbox.restic) check -q --read-data
            """)
        #expect(back.contains("0 copied, 2 there already") && back.contains("1 copied, 2 there already"), "\(back)")
        try sandbox.run(
            """
            mkdir third
            stillpoint --state third-state init --set path=third --password-file password --copy-chunker-params \\
                --from filesystem --from-set path=second --from-password-file other-password
            restic -r third --password-file password --no-cache cat config | grep \\
                $(\(Sandbox.restic) cat config | grep chunker_polynomial | cut -d'"' -f4)
            """)
        try sandbox.expect(
            1, "same repository",
            "stillpoint copy --to filesystem --to-set path=repository --to-password-file password || test $? = 2 && exit 1"
        )
        try sandbox.expect(2, "either --to", "stillpoint copy")
    }

    @Test(.enabled(if: Capability.canMount, "mounting a small file system is not allowed here"))
    func `a full file system is pruned`() throws {
        let sandbox = try Sandbox("prune-full")
        let output = try sandbox.run(
            """
            mkdir disk && mount -t tmpfs -o size=80m none disk && trap 'umount -l disk' EXIT
            mkdir disk/repository && ln -s disk/repository repository
            stillpoint init --set path=$PWD/disk/repository --password-file password
            test $(stat -c %s disk/repository/stillpoint/reserve) = 4194304
            mkdir source; head -c 500000 /dev/urandom > source/stays
            for i in 1 2 3; do
                head -c 13000000 /dev/urandom > source/goes-$i; head -c 100000 /dev/urandom > source/stays-$i
                \(Sandbox.restic) backup -q source
                rm source/goes-$i
            done
            head -c 5000000 /dev/urandom > alone; \(Sandbox.restic) backup -q alone
            \(Sandbox.restic) backup -q source
            \(Sandbox.restic) forget -q --group-by '' --keep-last 1
            dd if=/dev/zero of=disk/filler bs=4k 2> /dev/null || :
            status=0; echo x > disk/more || status=$?; test $status != 0
            status=0; stillpoint backup > log 2>&1 || status=$?; test $status = 25
            test -e disk/repository/stillpoint/reserve
            stillpoint prune --max-unused 0
            test $(du -sk disk/repository/data | cut -f1) -lt 1500
            test -e disk/repository/stillpoint/reserve
            \(Sandbox.restic) check -q --read-data
            \(Sandbox.restic) restore -q latest --target out && diff -r source out/source
            """)
        #expect(output.contains("its reserve of space was given up"), "\(output)")
    }
}
