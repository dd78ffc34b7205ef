import Glibc
package import JSON
package import SnapshotModel

/// One line of a journal: `{"seq":1,"t":1795367762123,"kind":"phase","payload":{…}}`.
package struct JournalEntry: Sendable, Hashable {
    /// From 1, without gaps.
    package let sequence: Int64
    /// When it was written, by the clock on the wall.
    package let time: Moment
    /// What happened.
    package let event: RunEvent

    /// The longest line, its end included. Source: the cap of a protocol line, so that a line fits into one message.
    package static let maximumLineByteCount = 1 << 20

    /// An event with its place.
    package init(sequence: Int64, time: Moment, event: RunEvent) {
        self.sequence = sequence
        self.time = time
        self.event = event
    }

    /// The members of the line.
    package var json: JSONObject {
        [
            "seq": .integer(sequence), "t": .integer(time.milliseconds), "kind": .string(event.kind),
            "payload": .object(event.payload),
        ]
    }

    /// The line with its end.
    ///
    /// - Throws: `JSONError` when the event cannot be written as JSON.
    func line() throws -> [UInt8] { try json.encoded() + [UInt8(ascii: "\n")] }

    /// Reads a line without its end; nil when it is not one of a journal.
    init?(line: UnsafeRawBufferPointer) {
        let limits = JSONLimits(
            maximumByteCount: Self.maximumLineByteCount, maximumDepth: 128, requiresLeadingBrace: true)
        // What cannot be read as an event is damage, which the reader counts; why does not matter to it.
        guard let object = try? JSONObject.parse(line, limits: limits) else { return nil }
        let reader = JSONReader(object)
        guard let sequence = try? reader.count("seq"), let time = try? reader.integer("t"),
            let kind = try? reader.string("kind"), let payload = try? reader.object("payload"),
            let event = try? RunEvent(kind: kind, payload: payload)
        else { return nil }
        self.init(sequence: sequence, time: Moment(milliseconds: time), event: event)
    }
}

extension Moment {
    /// The clock on the wall. Source: clock_gettime(2), CLOCK_REALTIME.
    package static func now() -> Moment {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Moment(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
