import Foundation
import SnapshotModel
import TestSupport
import Testing

/// The commands of RECOVERY.md, run as they stand by a shell with stock restic.
@Suite struct RecoveryWithResticTests {
    static let canRun = ShellScript.isInstalled("restic", "rsync", "bash")

    @Test(.enabled(if: canRun, "restic and rsync are installed by scripts/test"))
    func `the commands bring every volume, dump and manifest back`() throws {
        let directory = try TemporaryDirectory("recovery")
        let name = try ApplicationName("tracker")
        let document = SnapshotDocument(
            kind: .full, run: try RunID("01aryz6s41tsv4rrffq69g5fav"), trigger: .manual,
            started: Moment(milliseconds: 0),
            finished: Moment(milliseconds: 1), host: "h", programVersion: "1",
            applications: [
                SnapshotDocument.Application(
                    name: name, consistency: .application, isRestorable: true,
                    volumes: [
                        SnapshotDocument.Volume(
                            name: "uploads", path: directory.path("machine/it's data/uploads"), entryCount: 2,
                            byteCount: 3)
                    ],
                    dumps: [
                        SnapshotDocument.Dump(
                            name: "database", plugin: "command", byteCount: 4,
                            loadCommand: ["dd", "status=none", "of=" + directory.path("loaded dump")]),
                        SnapshotDocument.Dump(name: "other", plugin: "custom", byteCount: 5),
                    ], manifests: [SnapshotDocument.Manifest(path: "/etc/a.yaml", storedPath: "a.yaml")])
            ])
        let tree = "tree/applications/tracker"
        try directory.write("abc", to: "\(tree)/volumes/uploads/deep/er/file")
        try directory.write("DUMP", to: "\(tree)/dumps/database")
        try directory.write("OTHER", to: "\(tree)/dumps/other")
        try directory.write("manifest", to: "\(tree)/manifests/a.yaml")
        try directory.write("yaml", to: "\(tree)/application.yaml")
        try directory.write("old", to: "machine/it's data/uploads/stale")
        try directory.write("secret\n", to: "password")
        let environment = [
            "RESTIC_REPOSITORY": directory.path("repository"), "RESTIC_PASSWORD_FILE": directory.path("password"),
            "TARGET": directory.path("target"),
        ]
        let tags = document.tags().encoded.map { "--tag '\($0)'" }.joined(separator: " ")
        let preparation = ShellScript(
            "restic init -q; cd tree; restic backup -q \(tags) applications; restic backup -q --tag other applications",
            environment: environment)
        #expect(try preparation.run(in: directory) == ShellScript.Result(status: 0, output: ""))

        let commands = Self.commands(in: RecoveryDocument(for: document).text)
        #expect(commands.count == 10)
        let result = try #require(
            try ShellScript(commands.joined(separator: "\n"), environment: environment).run(in: directory))
        #expect(result.status == 0, "\(result.output)")
        let stored = "target/applications/tracker"
        #expect(try directory.read("machine/it's data/uploads/deep/er/file") == Array("abc".utf8))
        #expect(try directory.read("\(stored)/volumes/uploads/deep/er/file") == Array("abc".utf8))
        #expect(try directory.read("loaded dump") == Array("DUMP".utf8))
        #expect(try directory.read("target/tracker-other.dump") == Array("OTHER".utf8))
        #expect(try directory.read("\(stored)/manifests/a.yaml") == Array("manifest".utf8))
        #expect(try directory.read("\(stored)/application.yaml") == Array("yaml".utf8))
        let stale = try ShellScript("ls \"machine/it's data/uploads\"").run(in: directory)
        #expect(stale == ShellScript.Result(status: 0, output: "deep\n"))
    }

    /// The lines of all `sh` blocks but the first, which sets the environment.
    private static func commands(in text: String) -> [String] {
        let blocks = text.split(separator: "```sh\n").dropFirst(2)
        return blocks.flatMap { block -> [String] in
            let end = block.range(of: "```")?.lowerBound ?? block.endIndex
            return block[..<end].split(separator: "\n").map(String.init)
        }
    }
}
