import SnapshotModel
import Testing

@Suite struct SnapshotTagsTests {
    private func example() throws -> SnapshotTags {
        SnapshotTags(
            kind: .full, applications: [try ApplicationName("tracker"), try ApplicationName("wiki")],
            trigger: .schedule,
            consistency: .crash, run: try RunID("01aryz6s41tsv4rrffq69g5fav"), others: ["release-2"])
    }

    private let encoded = [
        "stillpoint", "kind:full", "app:tracker", "app:wiki", "trigger:schedule", "consistency:crash",
        "run:01aryz6s41tsv4rrffq69g5fav", "release-2",
    ]

    @Test func `tags are written in their order and read back in any`() throws {
        #expect(try example().encoded == encoded)
        #expect(SnapshotTags(decoding: encoded) == (try example()))
        let reversed = try #require(SnapshotTags(decoding: encoded.reversed()))
        #expect(reversed.applications.map(\.text) == ["wiki", "tracker"])
        #expect(reversed.run == (try example().run))
    }

    @Test(arguments: [[], ["kind:full"], ["stillpoint"], ["stillpoint", "kind:whole"], ["Stillpoint", "kind:full"]])
    func `snapshots of others are not ours`(_ tags: [String]) {
        #expect(SnapshotTags(decoding: tags) == nil)
    }

    @Test func `what is malformed, unknown or repeated is kept as a tag`() throws {
        let odd = [
            "app:No Slug", "trigger:cosmic", "consistency:", "run:short", "kind:partial", "stillpoint", "later:thing",
        ]
        let tags = try #require(SnapshotTags(decoding: ["stillpoint", "kind:full"] + odd))
        #expect(tags.kind == .full)
        #expect(tags.others == odd)
        #expect(tags.trigger == nil && tags.consistency == nil && tags.run == nil && tags.applications.isEmpty)
        #expect(tags.encoded == ["stillpoint", "kind:full"] + odd)
    }

    @Test func `a user's tag must not break the list nor look like ours`() throws {
        try SnapshotTags.validate(userTag: "before release 2.0")
        try SnapshotTags.validate(userTag: "team:web")
        for tag in ["", "a,b", "a\nb", "stillpoint", "run:x", "app:y", "kind:full", "trigger:", "consistency:z"] {
            let failure = #expect(throws: SnapshotModelError.self) { try SnapshotTags.validate(userTag: tag) }
            #expect(failure?.code == .malformedTag)
        }
    }

    @Test func `a summary knows what the tags of a snapshot mean`() throws {
        func summary(_ tags: [String]) -> SnapshotSummary {
            SnapshotSummary(
                id: String(repeating: "ab", count: 32), time: Moment(milliseconds: 1), tree: "t", host: "h",
                paths: ["/"],
                tags: tags)
        }
        let ours = summary(encoded)
        #expect(ours.kind == .full && ours.consistency == .crash && ours.shortID == "abababab")
        #expect(ours.applications.map(\.text) == ["tracker", "wiki"])
        #expect(summary(["home"]).meaning == nil)
    }
}
