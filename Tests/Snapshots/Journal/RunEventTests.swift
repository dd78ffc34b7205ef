import JSON
import Pipelines
import SnapshotModel
import TestSupport
import Testing

@Suite struct RunEventTests {
    @Test func `every event is read back from its payload`() throws {
        for event in try JournalExample.events() {
            let text = try JSONValue.object(event.payload).encodedText()
            let payload = try #require(try JSONValue.parse(text).objectValue)
            #expect(try RunEvent(kind: event.kind, payload: payload) == event)
        }
    }

    @Test func `the lines of a journal are a promise`() throws {
        let clock = JournalExample.clock()
        let lines = try JournalExample.events().enumerated().map { index, event in
            try JournalEntry(sequence: Int64(index + 1), time: clock(), event: event).json.encoded()
        }
        let text = lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
        #expect(try GoldenFile.text("journal.jsonl", actual: text) == text)
    }

    @Test func `a known kind with a word of the future is kept as it stands`() throws {
        let future: [(String, JSONObject)] = [
            ("phase", ["state": "levitating"]), ("finished", ["outcome": "perfect", "exit_code": 0]),
            ("finished", ["outcome": "completed", "exit_code": 99]),
            ("opened", ["run_kind": "dance", "trigger": "manual", "program_version": "9"]),
        ]
        for (kind, payload) in future {
            #expect(try RunEvent(kind: kind, payload: payload) == .unknown(kind: kind, payload: payload))
        }
    }

    @Test func `a payload without what it needs is refused`() throws {
        for event in try JournalExample.events() where event.kind != "colour" {
            #expect(throws: (any Error).self) { try RunEvent(kind: event.kind, payload: [:]) }
        }
    }

    @Test func `output with a NUL character can be written`() throws {
        let event = RunEvent.hookOutput(HookOutput(application: nil, plugin: "p\0", stream: "stdout", line: "a\0b"))
        #expect(event.payload == ["plugin": "p\u{FFFD}", "stream": "stdout", "line": "a\u{FFFD}b"])
        _ = try event.payload.encoded()
    }
}
