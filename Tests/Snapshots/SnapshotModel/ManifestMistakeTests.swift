import SnapshotModel
import Testing
import Threads

/// Each mistake is reported with its exact place, path and message.
@Suite struct ManifestMistakeTests {
    /// A mistake within `spec:`, which begins in line 5.
    struct SpecMistake: Sendable, CustomTestStringConvertible {
        let text: String
        let issues: [String]
        var testDescription: String { text }
        init(_ text: String, _ issues: String...) {
            self.text = text
            self.issues = issues
        }
    }

    static let specMistakes: [SpecMistake] = [
        SpecMistake(
            "  volums: []",
            "5:3: spec.volums: unknown key 'volums'; known are: manifests, volumes, dumps, hooks, group, maxHold, "
                + "objectives, license; did you mean 'volumes'?"),
        SpecMistake(
            "  zzz: []",
            "5:3: spec.zzz: unknown key 'zzz'; known are: manifests, volumes, dumps, hooks, group, maxHold, "
                + "objectives, license"),
        SpecMistake("  volumes: {name: a}", "5:12: spec.volumes: must be a list of volumes, not a mapping"),
        SpecMistake("  volumes: [a]", "5:13: spec.volumes[0]: must be a mapping of keys, not a text"),
        SpecMistake(
            "  volumes:\n    - path: /a",
            "6:7: spec.volumes[0].name: the key 'name' is missing: the volume's name in the snapshot"),
        SpecMistake(
            "  volumes:\n    - name: a",
            "6:7: spec.volumes[0].path: the key 'path' is missing: the directory with the data"),
        SpecMistake(
            "  volumes:\n    - {name: Uploads Of Users, path: /a}",
            "6:14: spec.volumes[0].name: 'Uploads Of Users' is not a name of a volume: use 1 to 63 characters a-z, 0-9 "
                + "and '-', not '-' at either end; did you mean 'uploads-of-users'?"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a}\n    - {name: a, path: /b}",
            "7:14: spec.volumes[1].name: the volume 'a' stands twice, first in line 6"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: srv/a}",
            "6:23: spec.volumes[0].path: must be an absolute path, one that begins with '/', not 'srv/a'"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /srv/../etc}",
            "6:23: spec.volumes[0].path: the path must not contain '..'"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: //}",
            "6:23: spec.volumes[0].path: the whole file system cannot be a volume; name the directory with the data"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /srv/a}\n    - {name: b, path: /srv/a/b/}",
            "7:23: spec.volumes[1].path: '/srv/a/b' lies within volume 'a' ('/srv/a') in line 6"),
        SpecMistake(
            "  volumes:\n    - {name: b, path: /srv/a/b}\n    - {name: a, path: /srv/a}",
            "7:23: spec.volumes[1].path: '/srv/a' contains volume 'b' ('/srv/a/b') in line 6"),
        SpecMistake(
            "  volumes:\n    - {name: b, path: /srv/a/}\n    - {name: a, path: //srv/a}",
            "7:23: spec.volumes[1].path: '/srv/a' is the same place as volume 'b' in line 6"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a, oneFileSystem: yes}",
            "6:42: spec.volumes[0].oneFileSystem: must be true or false, not 'yes'; did you mean 'true'?"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a, excludeCaches: \"true\"}",
            "6:42: spec.volumes[0].excludeCaches: must be true or false, not a text"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a, exclude: \"*.tmp\"}",
            "6:36: spec.volumes[0].exclude: must be a list of patterns, not a text"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a, exclude: [\"\", 5, ~]}",
            "6:37: spec.volumes[0].exclude[0]: must not be empty",
            "6:41: spec.volumes[0].exclude[1]: must be a text, not a number; put it in quotes; did you mean '\"5\"'?",
            "6:44: spec.volumes[0].exclude[2]: must be a text, not nothing"),
        SpecMistake(
            "  volumes:\n    - {name: a, path: /a, excludeIfPresent: [a/b]}",
            "6:46: spec.volumes[0].excludeIfPresent[0]: must be the name of a file, without directories, not 'a/b'"),
        SpecMistake(
            "  manifests: [../a]", "5:15: spec.manifests[0]: the path must not contain '..'"),
        SpecMistake(
            "  manifests: [./]",
            "5:15: spec.manifests[0]: must name a file or a directory, not './'; list what belongs to the deployment"),
        SpecMistake(
            "  manifests: [config/, config/a.yaml, /config]",
            "5:24: spec.manifests[1]: '/config/a.yaml' lies within 'config/' ('/config') in line 5",
            "5:39: spec.manifests[2]: '/config' is the same place as 'config/' in line 5"),
        SpecMistake(
            "  dumps: [{name: a, plugin: \"a b\"}]",
            "5:29: spec.dumps[0].plugin: 'a b' is neither the name of a plugin nor the absolute path of its executable"),
        SpecMistake(
            "  dumps: [{name: a, plugin: p}, {name: a, plugin: p}]",
            "5:40: spec.dumps[1].name: the dump 'a' stands twice, first in line 5"),
        SpecMistake(
            "  dumps: [{name: a}]",
            "5:11: spec.dumps[0].plugin: the key 'plugin' is missing: the source plugin that makes the dump"),
        SpecMistake(
            "  dumps: [{name: a, plugin: p, config: {a: 1.5, b: [-1], c: 010}}]",
            "5:44: spec.dumps[0].config.a: numbers for plugins are whole, from 0 to 2^53 - 1; put others in quotes; did "
                + "you mean '\"1.5\"'?",
            "5:53: spec.dumps[0].config.b[0]: numbers for plugins are whole, from 0 to 2^53 - 1; put others in quotes; "
                + "did you mean '\"-1\"'?",
            "5:61: spec.dumps[0].config.c: a number with a leading zero can be read in two ways; put it in quotes; did "
                + "you mean '\"010\"'?"),
        SpecMistake(
            "  dumps: [{name: a, plugin: p, config: x}]",
            "5:40: spec.dumps[0].config: must be a mapping of keys, not a text"),
        SpecMistake(
            "  hooks: [{events: {backup.pre: {command: [a]}}}]",
            "5:11: spec.hooks[0].plugin: the key 'plugin' is missing: the hook plugin"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {backup.pree: {command: [a]}}}]",
            "5:35: spec.hooks[0].events[\"backup.pree\"]: unknown key 'backup.pree'; known are: backup.pre, backup.post, "
                + "restore.pre, restore.post, rehearsal.check, notify; did you mean 'backup.pre'?"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {}}]",
            "5:34: spec.hooks[0].events: must name at least one event; leave 'events' out otherwise"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {notify: {command: ls -l}}}]",
            "5:53: spec.hooks[0].events.notify.command: must be a list of a program and its arguments, not a text; no "
                + "shell reads it"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {notify: {command: []}}}]",
            "5:53: spec.hooks[0].events.notify.command: must name a program"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {notify: {command: [a, ~]}}}]",
            "5:57: spec.hooks[0].events.notify.command[1]: must be a text, not nothing"),
        SpecMistake(
            "  hooks: [{plugin: exec, events: {notify: {a: 1}}, config: {events: {}}}]",
            "5:60: spec.hooks[0].config: the key 'events' stands here and beside 'config'; keep one of them"),
        SpecMistake(
            "  hooks: [{plugin: exec, timeout: 30}]",
            "5:35: spec.hooks[0].timeout: '30' is not a duration: a whole number and one of ms, s, m, h, d; did you mean "
                + "'30s'?"),
        SpecMistake(
            "  hooks: [{plugin: exec, timeout: 2d}]",
            "5:35: spec.hooks[0].timeout: must be more than 0s and at most 1d"),
        SpecMistake(
            "  hooks: [{plugin: exec, onError: warm}]",
            "5:35: spec.hooks[0].onError: must be fail or warn, not 'warm'; did you mean 'warn'?"),
        SpecMistake(
            "  maxHold: 1.5h",
            "5:12: spec.maxHold: '1.5h' is not a duration: a whole number and one of ms, s, m, h, d"),
        SpecMistake("  maxHold: 0s", "5:12: spec.maxHold: must be more than 0s and at most 36500d"),
        SpecMistake("  maxHold: [1s]", "5:12: spec.maxHold: must be a duration such as 30s, not a list"),
        SpecMistake(
            "  group: true",
            "5:10: spec.group: must be a text, not a truth value; put it in quotes; did you mean '\"true\"'?"),
        SpecMistake(
            "  objectives: {rpo: 26h, rot: 15m}",
            "5:26: spec.objectives.rot: unknown key 'rot'; known are: rpo, rto; did you mean 'rto'?"),
        SpecMistake(
            "  license: {}", "5:12: spec.license.publicKey: the key 'publicKey' is missing: the vendor's public key"),
        SpecMistake(
            "  group: a\n  maxHold: 1s\n  group: b",
            "7:3: spec.group: the key 'group' stands twice, first in line 5"),
        SpecMistake(
            "  group: a\n  \"group\": b\n  maxHold: 1\n  'group': c",
            "6:3: spec.group: the key 'group' stands twice, first in line 5",
            "7:12: spec.maxHold: '1' is not a duration: a whole number and one of ms, s, m, h, d; did you mean '1s'?",
            "8:3: spec.group: the key 'group' stands twice, first in line 5"),
        SpecMistake(
            "  volumes: [{name: a, name: b, path: /a, path: /b}]",
            "5:23: spec.volumes[0].name: the key 'name' stands twice, first in line 5",
            "5:42: spec.volumes[0].path: the key 'path' stands twice, first in line 5"),
        SpecMistake(
            "  dumps: [{name: a, plugin: p, config: {x: {y: 1, y: 2}}}]",
            "5:51: spec.dumps[0].config.x.y: the key 'y' stands twice, first in line 5"),
        SpecMistake("  group: !secret a", "5:10: tags such as '!secret' are not supported"),
        SpecMistake("  volumes: !volumes []", "5:12: tags such as '!volumes' are not supported"),
        SpecMistake(
            "  group: \"a\\0b\"", "5:10: a text contains U+0000",
            "5:10: spec.group: 'a\u{FFFD}b' is not a name of a group: use 1 to 63 characters a-z, 0-9 and '-', not '-' at "
                + "either end; did you mean 'a-b'?"),
        SpecMistake("  ? [a]\n  : b", "5:5: a key must be a text"),
        SpecMistake("  group: *nowhere", "5:10: not valid YAML: found undefined alias"),
        SpecMistake(
            "  <<: {group: a}",
            "5:3: spec[\"<<\"]: unknown key '<<'; known are: manifests, volumes, dumps, hooks, group, maxHold, objectives, "
                + "license"),
    ]

    @Test(arguments: specMistakes)
    func `a mistake in the spec is reported`(_ mistake: SpecMistake) throws {
        let text = "apiVersion: stillpoint/v1\nkind: Application\nmetadata: {name: a}\nspec:\n" + mistake.text
        #expect(issues(of: text) == mistake.issues)
    }

    static let fileMistakes: [SpecMistake] = [
        SpecMistake("", "1:1: the file is empty"),
        SpecMistake("# only a comment\n", "1:1: the file is empty"),
        SpecMistake("just a text", "1:1: must be a mapping of keys, not a text"),
        SpecMistake("[]", "1:1: must be a mapping of keys, not a list"),
        SpecMistake("~", "1:1: must be a mapping of keys, not nothing"),
        SpecMistake(
            "kind: Application\nspec: {}\n", "1:1: apiVersion: the key 'apiVersion' is missing: write stillpoint/v1",
            "1:1: metadata: the key 'metadata' is missing: it holds the application's name"),
        SpecMistake(
            "apiVersion: stillpoint/v1\nkind: Application\nmetadata:\nspec:\n",
            "3:10: metadata: must be a mapping of keys, not nothing",
            "4:6: spec: must be a mapping of keys, not nothing"),
        SpecMistake(
            "apiVersion: stillpoint/v1\nkind: Application\nmetadata: {}\nspec: {}\n",
            "3:11: metadata.name: the key 'name' is missing: the application's name, 1 to 63 characters a-z, 0-9 and "
                + "'-', not '-' at either end"),
        SpecMistake("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed in this context"),
        SpecMistake(
            "a: [1\nb: 2\n", "2:2: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence"),
        SpecMistake(
            "a: \"b\n", "2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar"),
        SpecMistake("a: 1\n---\nb: 2\n", "2:1: not valid YAML: but found another document"),
        SpecMistake("a: 1\nb: \u{1}\n", "2:4: not valid YAML: control characters are not allowed"),
    ]

    @Test(arguments: fileMistakes)
    func `a mistake of the whole file is reported`(_ mistake: SpecMistake) throws {
        #expect(issues(of: mistake.text) == mistake.issues)
    }

    @Test func `a file that is too long is refused before it is parsed`() {
        let text = "a: " + String(repeating: "x", count: 1 << 20)
        #expect(issues(of: text) == ["1:1: the file is longer than 1048576 bytes"])
    }

    @Test func `nested aliases cannot fill the memory`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(issues(of: text) == ["1:34: the file has more than 100000 values, aliases expanded"])
    }

    @Test func `deep nesting is refused, on a thread with a small stack as well`() throws {
        let result = Condition<[String]>([])
        let thread = WorkerThread(name: "yaml") {
            let text = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
            let issues = Self.issues(of: text)
            result.withLock { $0 = issues }
        }
        try thread.join()
        #expect(result.withLock { $0 } == ["1:65: the file is nested deeper than 64 levels"])
    }

    @Test func `several mistakes are reported together, in the order of the file`() throws {
        let text = """
            apiVersion: stillpoint/v2
            kind: Aplication
            metadata:
              name: Issue Tracker
              titel: x
              version: [1]
            spec:
              maxHold: 10
              volums: []
            extra: 1
            """
        #expect(
            issues(of: text) == [
                "1:13: apiVersion: must be stillpoint/v1, not 'stillpoint/v2'; did you mean 'stillpoint/v1'?",
                "2:7: kind: must be Application, not 'Aplication'; did you mean 'Application'?",
                "4:9: metadata.name: 'Issue Tracker' is not a name of an application: use 1 to 63 characters a-z, 0-9 and "
                    + "'-', not '-' at either end; did you mean 'issue-tracker'?",
                "5:3: metadata.titel: unknown key 'titel'; known are: name, title, version; did you mean 'title'?",
                "6:12: metadata.version: must be a text, not a list",
                "8:12: spec.maxHold: '10' is not a duration: a whole number and one of ms, s, m, h, d; did you mean '10s'?",
                "9:3: spec.volums: unknown key 'volums'; known are: manifests, volumes, dumps, hooks, group, maxHold, "
                    + "objectives, license; did you mean 'volumes'?",
                "10:1: extra: unknown key 'extra'; known are: apiVersion, kind, metadata, spec",
            ])
    }

    @Test func `an invalid manifest names the file in front of each line, as compilers do`() {
        let invalid = ManifestInvalid(issues: [
            ManifestIssue(line: 1, column: 2, path: "", message: "bad"),
            ManifestIssue(line: 3, column: 4, path: "spec.x", message: "unknown", suggestion: "y"),
        ])
        #expect(invalid.description == "1:2: bad\n3:4: spec.x: unknown; did you mean 'y'?")
        #expect(
            invalid.description(file: "a/application.yaml")
                == "a/application.yaml:1:2: bad\na/application.yaml:3:4: spec.x: unknown; did you mean 'y'?")
    }

    private static func issues(of text: String) -> [String] {
        do {
            _ = try ApplicationManifest.parse(text)
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    private func issues(of text: String) -> [String] { Self.issues(of: text) }
}
