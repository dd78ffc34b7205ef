import Foundation
import SnapshotModel
import Testing

/// What documentation and examples show is what is accepted.
@Suite struct ManifestExampleTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        return try String(contentsOf: root.appendingPathComponent(path).standardized, encoding: .utf8)
    }

    @Test func `the example of the guide is valid`() throws {
        let guide = try Self.text("docs/guide/application-yaml.md")
        let blocks = guide.split(separator: "```yaml\n").dropFirst().compactMap {
            $0.split(separator: "```").first.map(String.init)
        }
        let complete = blocks.filter { $0.hasPrefix("apiVersion:") }
        #expect(!complete.isEmpty)
        for block in complete { _ = try ApplicationManifest.parse(block) }
    }

    @Test func `the tracker's manifest is valid`() throws {
        let text = try Self.text("examples/tracker/application.yaml.in").replacing("@HOME@", with: "/srv/tracker")
        let manifest = try ApplicationManifest.parse(text)
        #expect(manifest.name.text == "tracker")
        #expect(manifest.hooks.first?.receives(.restorePost) == true)
    }
}
