import TestSupport
import Testing

/// The main job, with the programs as they are installed: capture, destroy, restore; and restic as the judge.
@Suite(.enabled(if: Sandbox.canJudge)) struct SnapshotAndRestoreTests {
    @Test func `a partial snapshot brings its application back, hooks called in their order`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            cp -a notes/data before
            stillpoint backup --application notes
            test ! -e notes/held
            rm -r notes/data
            stillpoint restore latest --yes
            seq 1000 | cmp - notes/loaded
            """)
        #expect(try sandbox.difference(between: "before", and: "notes/data") == "")
        #expect(try sandbox.calls(of: "notes") == ["backup.pre", "backup.post", "restore.pre", "restore.post"])
    }

    @Test func `one application comes back out of a full snapshot and the others are left alone`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.addApplication("wiki")
        try sandbox.run(
            """
            cp -a notes/data before
            stillpoint backup
            echo changed > wiki/data/one.txt && echo changed > notes/data/one.txt && rm notes/data/large.bin
            echo new > notes/data/new.txt
            stillpoint restore latest --application notes --yes
            test "$(cat wiki/data/one.txt)" = changed
            """)
        #expect(try sandbox.difference(between: "before", and: "notes/data") == "")
        #expect(try sandbox.calls(of: "wiki") == ["backup.pre", "backup.post"])
    }

    @Test func `a full snapshot brings everything back`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.addApplication("wiki")
        try sandbox.run(
            """
            mkdir before && cp -a notes/data before/notes && cp -a wiki/data before/wiki
            stillpoint backup
            rm -r notes/data wiki/data
            stillpoint restore latest --yes
            """)
        #expect(try sandbox.difference(between: "before/notes", and: "notes/data") == "")
        #expect(try sandbox.difference(between: "before/wiki", and: "wiki/data") == "")
        #expect(try sandbox.run("stillpoint application list").contains("wiki"))
    }

    @Test func `a dry run changes nothing and calls nobody`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            stillpoint backup --dry-run
            test ! -e notes/calls
            stillpoint backup
            rm notes/calls && echo changed > notes/data/one.txt
            stillpoint restore latest --dry-run
            test ! -e notes/calls
            test "$(cat notes/data/one.txt)" = changed
            test "$(\(Sandbox.restic) snapshots --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 1
            """)
    }

    @Test func `a dump that cannot be loaded is a warning of the restore, and exit 3`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            sed -i '/load:/d' notes/application.yaml
            stillpoint application add notes/application.yaml
            stillpoint backup && rm -r notes/data
            """)
        try sandbox.expect(3, "numbers", "stillpoint restore latest --application notes --yes")
        try sandbox.run("cat notes/data/one.txt")
    }

    @Test func `a restore without a confirmation changes nothing`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run("stillpoint backup && echo changed > notes/data/one.txt")
        #expect(try sandbox.result("stillpoint restore latest --application notes </dev/null").status != 0)
        try sandbox.run("test \"$(cat notes/data/one.txt)\" = changed")
        #expect(try sandbox.calls(of: "notes") == ["backup.pre", "backup.post"])
    }

    @Test func `a failing hook fails its application alone, and it is released`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes", events: ["backup.pre": "{command: [\"false\"]}"])
        try sandbox.addApplication("wiki")
        try sandbox.expect(3, "notes", "stillpoint backup")
        #expect(try sandbox.calls(of: "notes") == ["backup.post"])
        try sandbox.expect(20, "notes", "stillpoint backup --application notes")
        let listing = try sandbox.run("\(Sandbox.restic) ls latest")
        #expect(listing.contains("/applications/wiki/volumes/data/one.txt"))
        #expect(!listing.contains("/applications/notes/volumes/data/one.txt"))
    }

    @Test func `what restic restores is what was there, with every attribute`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run(Self.peculiarFiles)
        try sandbox.run(
            """
            cp -a notes/data before
            stillpoint backup
            \(Sandbox.restic) check --read-data
            \(Sandbox.restic) restore latest --target copy
            stillpoint check --read-data
            stillpoint restore latest --target ours
            """)
        let volume = "applications/notes/volumes/data"
        #expect(try sandbox.difference(between: "before", and: "copy/\(volume)") == "")
        #expect(try sandbox.difference(between: "before", and: "ours/\(volume)") == "")
        try sandbox.run(
            """
            seq 1000 | cmp - copy/applications/notes/dumps/numbers
            seq 1000 | cmp - ours/applications/notes/dumps/numbers
            cmp notes/settings.ini copy/applications/notes/manifests/settings.ini
            cmp notes/application.yaml copy/applications/notes/application.yaml
            grep -q 'restic restore' copy/RECOVERY.md
            """)
    }

    @Test func `a snapshot carries the tags and the documents that restic's users look for`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        let output = try sandbox.run(
            """
            stillpoint backup --application notes --tag before-release
            \(Sandbox.restic) snapshots --json | python3 -c '
            import json, sys
            for tag in sorted(json.load(sys.stdin)[0]["tags"]): print("tag", tag.split(":")[0] if tag[:4] == "run:" else tag)'
            \(Sandbox.restic) dump latest /snapshot.json | python3 -c '
            import json, sys
            found = json.load(sys.stdin)
            print(found["kind"], found["consistency"], [each["name"] for each in found["applications"]])'
            """)
        for tag in ["app:notes", "before-release", "consistency:application", "kind:partial", "run", "stillpoint"] {
            #expect(output.contains("tag \(tag)\n"), "\(output)")
        }
        #expect(output.contains("partial application ['notes']"), "\(output)")
    }

    @Test func `a dump that fails leaves no file and is not called whole`() throws {
        let sandbox = try Sandbox.initialized()
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            sed -i 's/command: .seq, "1000"./command: [sh, -c, "seq 1000; exit 1"]/' notes/application.yaml
            stillpoint application add notes/application.yaml
            """)
        try sandbox.expect(3, "numbers", "stillpoint backup")
        let listing = try sandbox.result("\(Sandbox.restic) ls latest")
        #expect(!listing.output.contains("/applications/notes/dumps/numbers"))
        #expect(try sandbox.calls(of: "notes") == ["backup.pre", "backup.post"])
    }

    /// Files of every kind that can be made without privileges, in the application's volume.
    static let peculiarFiles = """
        cd notes/data
        ln folder/two.txt hardlink.txt
        ln -s folder/two.txt symlink && ln -s /nowhere/at/all dangling
        mkfifo fifo
        truncate -s 20M sparse.bin && printf middle | dd of=sparse.bin bs=1 seek=9999999 conv=notrunc status=none
        : > empty
        mkdir 'a folder with spaces' && echo x > $'a folder with spaces/new\\nline' && echo y > ümlaut
        setfattr -n user.colour -v blue one.txt
        setfacl -m u:12345:r one.txt
        chmod 4750 folder/two.txt && chmod 1777 'a folder with spaces'
        touch -d '2001-02-03 04:05:06.123456789' one.txt && touch -h -d '1999-01-01' symlink
        touch -d '2002-02-02' folder
        if [ "$(id -u)" = 0 ]; then mknod null c 1 3 && chown 1234:5678 one.txt; fi
        """
}

extension Sandbox {
    /// What rsync would have to change to make the second directory equal to the first; empty when nothing.
    func difference(between first: String, and second: String) throws -> String {
        try run("rsync -aHAXnic --delete '\(first)/' '\(second)/'")
    }
}
