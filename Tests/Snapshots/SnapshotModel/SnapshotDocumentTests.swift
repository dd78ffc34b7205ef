import JSON
import SnapshotModel
import Testing
import TestSupport

@Suite struct SnapshotDocumentTests {
    @Test func `the document has the golden text`() throws {
        let text =
            try JSONValue.object(try Example.full().json).encodedText()
            .replacing(",\"", with: ",\n\"").replacing("[{", with: "[\n{") + "\n"
        #expect(try GoldenFile.text("snapshot.json", actual: text) == text)
    }

    @Test func `the golden text is read into every field`() throws {
        let document = try Example.full()
        let golden = try GoldenFile.text("snapshot.json")
        try #require(!golden.isEmpty)
        let value = try JSONValue.parse(golden)
        #expect(try SnapshotDocument(json: try #require(value.objectValue)) == document)
    }

    @Test func `the recovery document has the golden text`() throws {
        let text = RecoveryDocument(for: try Example.full()).text
        #expect(try GoldenFile.text("RECOVERY.md", actual: text) == text)
    }

    @Test func `the recovery document of a partial snapshot does not speak of the console`() throws {
        let text = RecoveryDocument(for: try Example.partial()).text
        #expect(!text.contains("console"))
        #expect(!text.contains("## Warnings"))
        #expect(text.contains("This is a partial snapshot"))
    }

    @Test func `members of the future are ignored and missing lists are empty`() throws {
        let json: JSONObject = [
            "format": 1, "kind": "partial", "run": "01aryz6s41tsv4rrffq69g5fav", "trigger": "cosmic",
            "started": "2026-11-22T17:16:02Z", "finished": "2026-11-22T17:16:03Z", "host": "h", "colour": "blue",
            "applications": [["name": "a", "consistency": "quantum", "restorable": true, "shape": [1]]],
        ]
        let document = try SnapshotDocument(json: json)
        #expect(document.trigger == nil)
        #expect(document.programVersion == "unknown")
        #expect(document.warnings.isEmpty)
        let application = try #require(document.applications.first)
        #expect(application.consistency == .partial)
        #expect(application.volumes.isEmpty && application.dumps.isEmpty && application.hooks.isEmpty)
        #expect(document.consistency == .partial)
    }

    @Test func `a newer format is refused with the way out`() throws {
        var json = try Example.full().json
        json["format"] = 2
        let failure = #expect(throws: SnapshotModelError.self) { try SnapshotDocument(json: json) }
        #expect(failure?.code == .unsupportedFormat)
        #expect(
            failure?.description == "snapshot.json has format 2, this version reads up to 1; use a newer stillpoint")
    }

    @Test(arguments: ["format", "kind", "run", "started", "finished", "host"])
    func `without what identifies it a document is refused, naming the member`(_ member: String) throws {
        for replacement in [nil, JSONValue.array([]), .string("x")] where !(member == "host" && replacement == "x") {
            var json = try Example.full().json
            json[member] = replacement
            let failure = #expect(throws: SnapshotModelError.self) { try SnapshotDocument(json: json) }
            #expect(failure?.code == .malformedDocument)
        }
    }

    @Test func `wrong types deep inside are named by their path`() throws {
        var json = try Example.full().json
        var applications = try #require(json["applications"]?.arrayValue)
        var application = try #require(applications[0].objectValue)
        application["volumes"] = [["name": "uploads", "path": 5]]
        applications[0] = .object(application)
        json["applications"] = .array(applications)
        let failure = #expect(throws: SnapshotModelError.self) { try SnapshotDocument(json: json) }
        #expect(
            failure?.description
                == "snapshot.json cannot be read: 'applications[0].volumes[0].path' must be a string, not an integer")
    }

    @Test func `the tags say what the document says`() throws {
        #expect(
            try Example.full().tags(adding: ["x"]).encoded == [
                "stillpoint", "kind:full", "app:tracker", "app:wiki", "trigger:manual", "consistency:partial",
                "run:01aryz6s41tsv4rrffq69g5fav", "x",
            ])
    }
}

/// A document that uses every member once.
enum Example {
    static func full() throws -> SnapshotDocument {
        let wiki = try ApplicationName("wiki")
        return SnapshotDocument(
            kind: .full, run: try RunID("01aryz6s41tsv4rrffq69g5fav"), trigger: .manual,
            started: try Moment(rfc3339: "2026-11-22T17:16:02.123Z"),
            finished: try Moment(rfc3339: "2026-11-22T17:16:12.5Z"), host: "web1.example.org", programVersion: "0.1.0",
            applications: [
                try tracker(),
                SnapshotDocument.Application(
                    name: wiki, consistency: .partial, consistencyReason: "hook 'exec' failed: no *such* command",
                    isRestorable: false,
                    volumes: [
                        SnapshotDocument.Volume(
                            name: "pages", path: "/srv/it's a wiki|really", entryCount: 0, byteCount: 0)
                    ], dumps: [SnapshotDocument.Dump(name: "db", plugin: "/opt/my plugin", byteCount: 0)]),
            ],
            warnings: [
                SnapshotDocument.Warning(
                    application: wiki, path: "/srv/it's a wiki|really/a`b\n", message: "cannot be read: <denied>"),
                SnapshotDocument.Warning(message: "the clock went backwards"),
            ])
    }

    static func partial() throws -> SnapshotDocument {
        SnapshotDocument(
            kind: .partial, run: try RunID("01aryz6s41tsv4rrffq69g5fav"), trigger: .schedule,
            started: Moment(milliseconds: 0), finished: Moment(milliseconds: 1), host: "h", programVersion: "0.1.0",
            applications: [try tracker()])
    }

    private static func tracker() throws -> SnapshotDocument.Application {
        SnapshotDocument.Application(
            name: try ApplicationName("tracker"), title: "Issue Tracker", version: "2.4.1", consistency: .application,
            isRestorable: true, held: .milliseconds(850),
            volumes: [
                SnapshotDocument.Volume(
                    name: "uploads", path: "/srv/tracker/uploads", entryCount: 1203, byteCount: 734_003_200)
            ],
            dumps: [
                SnapshotDocument.Dump(
                    name: "database", plugin: "command", byteCount: 65_536,
                    loadCommand: ["sqlite3", "/srv/tracker/new database.sqlite3"])
            ],
            manifests: [
                SnapshotDocument.Manifest(path: "/srv/tracker/compose.yaml", storedPath: "compose.yaml"),
                SnapshotDocument.Manifest(path: "/etc/nginx/sites", storedPath: "etc/nginx/sites"),
            ],
            hooks: [
                SnapshotDocument.HookResult(
                    plugin: "exec", event: "backup.pre", outcome: .done,
                    started: try Moment(rfc3339: "2026-11-22T17:16:03Z"), took: .milliseconds(41)),
                SnapshotDocument.HookResult(
                    plugin: "exec", event: "backup.post", outcome: .failed,
                    started: try Moment(rfc3339: "2026-11-22T17:16:04Z"), took: .milliseconds(7), message: "exit 1"),
            ])
    }
}
