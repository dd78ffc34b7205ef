import JSON
import SnapshotModel
import Testing

@Suite struct ManifestParsingTests {
    @Test func `the example of the product description is read into every field`() throws {
        let manifest = try ApplicationManifest.parse(
            """
            apiVersion: stillpoint/v1
            kind: Application
            metadata: {name: tracker, title: Issue Tracker, version: 2.4.1}
            spec:
              manifests: [compose.yaml, config/]
              volumes:
                - {name: uploads, path: /srv/tracker/uploads, exclude: ["*.tmp", "cache/"]}
              dumps:
                - {name: database, plugin: postgres, config: {database: tracker}}
              hooks:
                - plugin: exec
                  events:
                    backup.pre:  {command: [/srv/tracker/bin/pause]}
                    backup.post: {command: [/srv/tracker/bin/resume]}
                  timeout: 30s
                  onError: fail            # or warn
              maxHold: 10s                 # the longest the application may be held still
              objectives: {rpo: 26h, rto: 15m}
              license: {publicKey: abc=}
            """)
        #expect(manifest.name.text == "tracker")
        #expect(manifest.title == "Issue Tracker")
        #expect(manifest.version == "2.4.1")
        #expect(manifest.manifests == ["compose.yaml", "config"])
        #expect(
            manifest.volumes == [
                volume("uploads", "/srv/tracker/uploads") { $0.exclude = ["*.tmp", "cache/"] }
            ])
        #expect(manifest.dumps.map(\.name) == ["database"])
        #expect(manifest.dumps.map(\.plugin) == ["postgres"])
        #expect(manifest.dumps.map(\.config) == [["database": "tracker"]])
        let hook = try #require(manifest.hooks.first)
        #expect(manifest.hooks.count == 1)
        #expect(hook.plugin == "exec")
        #expect(
            hook.pluginConfig == [
                "events": [
                    "backup.pre": ["command": ["/srv/tracker/bin/pause"]],
                    "backup.post": ["command": ["/srv/tracker/bin/resume"]],
                ]
            ])
        #expect(hook.events.names == ["backup.pre", "backup.post"])
        #expect(hook.timeout == .seconds(30))
        #expect(hook.onError == .fail)
        #expect(manifest.maxHold == .seconds(10))
        #expect(manifest.objectives.rpo == .seconds(26 * 3600))
        #expect(manifest.objectives.rto == .seconds(900))
        #expect(manifest.license?.publicKey == "abc=")
        #expect(manifest.group == nil)
    }

    @Test func `the smallest manifest has a name only, and the defaults`() throws {
        let manifest = try ApplicationManifest.parse(
            "apiVersion: stillpoint/v1\nkind: Application\nmetadata: {name: a}\nspec: {}\n")
        #expect(manifest.name.text == "a")
        #expect(manifest.title == nil && manifest.version == nil && manifest.maxHold == nil && manifest.license == nil)
        #expect(manifest.manifests.isEmpty && manifest.volumes.isEmpty && manifest.dumps.isEmpty)
        #expect(manifest.hooks.isEmpty)
        #expect(manifest.objectives == ApplicationManifest.Objectives())
    }

    @Test func `every option of a volume is read and paths are made plain`() throws {
        let manifest = try parse(
            """
              manifests: [./a.yaml, /etc/nginx//sites/, b/c]
              volumes:
                - name: one
                  path: /srv//one/
                  oneFileSystem: true
                  excludeCaches: true
                  excludeIfPresent: [.nobackup]
                - {name: two, path: /srv/one-more, oneFileSystem: false}
            """)
        #expect(
            manifest.volumes == [
                volume("one", "/srv/one") {
                    $0.oneFileSystem = true
                    $0.excludeCaches = true
                    $0.excludeIfPresent = [".nobackup"]
                }, volume("two", "/srv/one-more"),
            ])
        #expect(manifest.manifests == ["a.yaml", "/etc/nginx/sites", "b/c"])
        #expect(
            manifest.manifests.map(ApplicationManifest.storedPath) == ["a.yaml", "etc/nginx/sites", "b/c"])
    }

    @Test func `a plugin's configuration keeps types, order and secret references`() throws {
        let manifest = try parse(
            """
              dumps:
                - name: db
                  plugin: /opt/plugins/dump
                  config:
                    port: 5432
                    hex: 0x10
                    verbose: true
                    word: yes
                    quoted: "1.5"
                    nothing: ~
                    tagged: !!str 7
                    list: [a, 1, {b: c}]
                    password: {secret: {file: /etc/secret}}
            """)
        let config = try #require(manifest.dumps.first).config
        #expect(
            config.names == ["port", "hex", "verbose", "word", "quoted", "nothing", "tagged", "list", "password"])
        #expect(
            config == [
                "port": 5432, "hex": 16, "verbose": true, "word": "yes", "quoted": "1.5", "nothing": nil,
                "tagged": "7", "list": ["a", 1, ["b": "c"]], "password": ["secret": ["file": "/etc/secret"]],
            ])
    }

    @Test func `versions and arguments that look like numbers stay as they are written`() throws {
        let manifest = try ApplicationManifest.parse(
            """
            apiVersion: stillpoint/v1
            kind: Application
            metadata: {name: a, version: 2.10}
            spec:
              hooks:
                - plugin: exec
                  events: {backup.pre: {command: [sleep, 010, true, ""], timeout: 5}}
            """)
        #expect(manifest.version == "2.10")
        #expect(
            manifest.hooks.first?.events["backup.pre"]
                == ["command": ["sleep", "010", "true", ""], "timeout": 5])
    }

    @Test func `anchors and aliases are followed`() throws {
        let manifest = try parse(
            """
              volumes:
                - {name: a, path: /a, exclude: &tmp ["*.tmp"]}
                - {name: b, path: /b, exclude: *tmp}
            """)
        #expect(manifest.volumes.map(\.exclude) == [["*.tmp"], ["*.tmp"]])
    }

    @Test func `a hook receives its events, the post of its pre, and everything when it names none`() throws {
        let manifest = try parse(
            """
              hooks:
                - {plugin: exec, events: {backup.pre: {command: [a]}}}
                - {plugin: exec, events: {restore.pre: {command: [a]}, notify: {command: [b]}}}
                - {plugin: postgres, config: {database: a}}
            """)
        typealias Event = ApplicationManifest.Event
        let received = manifest.hooks.map { hook in Event.allCases.filter(hook.receives) }
        #expect(
            received == [
                [.backupPre, .backupPost], [.restorePre, .restorePost, .notify], Event.allCases,
            ])
        let hook = try #require(manifest.hooks.first)
        #expect(
            Event.allCases.map(hook.onError(for:)) == [.fail, .warn, .fail, .warn, .fail, .warn])
        #expect(hook.timeout == .seconds(60))
    }

    private func parse(_ spec: String) throws -> ApplicationManifest {
        try ApplicationManifest.parse(
            "apiVersion: stillpoint/v1\nkind: Application\nmetadata: {name: a}\nspec:\n" + spec)
    }

    private func volume(
        _ name: String, _ path: String, _ change: (inout ApplicationManifest.Volume) -> Void = { _ in }
    ) -> ApplicationManifest.Volume {
        var volume = ApplicationManifest.Volume(name: name, path: path)
        change(&volume)
        return volume
    }
}
