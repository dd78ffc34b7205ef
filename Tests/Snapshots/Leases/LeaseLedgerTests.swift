import JSON
import Pipelines
import PluginProtocol
import SnapshotModel
import Testing

@Suite struct LeaseLedgerTests {
    typealias Phase = LeaseLedger.Phase

    enum Input: String, CaseIterable, Sendable {
        case intend, sent, preAcknowledged, preFailed, preNotSent, releaseAttempted, released, releaseFailed
    }

    static func apply(_ input: Input, to ledger: inout LeaseLedger, _ id: Int64 = 1) throws -> [LeaseLedger.Action] {
        switch input {
        case .intend: try ledger.intend(try JournalExample.lease(id))
        case .sent: try ledger.sent(id)
        case .preAcknowledged: try ledger.preAcknowledged(id, action: "continue", reason: nil, state: "s\(id)")
        case .preFailed: try ledger.preFailed(id, message: "pre")
        case .preNotSent: try ledger.preNotSent(id, message: "never")
        case .releaseAttempted: try ledger.releaseAttempted(id, outcome: .ok)
        case .released: try ledger.released(id)
        case .releaseFailed: try ledger.releaseFailed(id, message: "post")
        }
    }

    /// The shortest way to each phase.
    static let ways: [Phase: [Input]] = [
        .intended: [.intend], .sent: [.intend, .sent], .acknowledged: [.intend, .sent, .preAcknowledged],
        .preFailed: [.intend, .sent, .preFailed], .withdrawn: [.intend, .preNotSent],
        .releasing: [.intend, .releaseAttempted], .released: [.intend, .releaseAttempted, .released],
        .releaseFailed: [.intend, .releaseAttempted, .releaseFailed],
    ]

    /// Everything that is allowed; all else is a violation.
    static let moves: [Phase: [Input: Phase]] = [
        .intended: [.sent: .sent, .preNotSent: .withdrawn, .releaseAttempted: .releasing],
        .sent: [
            .preAcknowledged: .acknowledged, .preFailed: .preFailed, .preNotSent: .withdrawn,
            .releaseAttempted: .releasing,
        ],
        .acknowledged: [.releaseAttempted: .releasing], .preFailed: [.releaseAttempted: .releasing],
        .releasing: [.released: .released, .releaseFailed: .releaseFailed],
        .releaseFailed: [.releaseAttempted: .releasing], .released: [:], .withdrawn: [:],
    ]

    private func ledger(in phase: Phase) throws -> LeaseLedger {
        var ledger = LeaseLedger()
        for input in try #require(Self.ways[phase]) { _ = try Self.apply(input, to: &ledger) }
        #expect(ledger.entries.map(\.phase) == [phase])
        return ledger
    }

    @Test(arguments: Phase.allCases, Input.allCases)
    func `each input leads to the phase of the table, or is a violation that changes nothing`(
        _ phase: Phase, _ input: Input
    ) throws {
        var ledger = try ledger(in: phase)
        let before = ledger
        if let next = Self.moves[phase]?[input] {
            _ = try Self.apply(input, to: &ledger)
            #expect(ledger.entries.map(\.phase) == [next])
        } else {
            let violation = #expect(throws: LeaseLedger.Violation.self) { try Self.apply(input, to: &ledger) }
            #expect(violation?.lease == 1 && violation?.input == input.rawValue && violation?.phase == phase)
            #expect(ledger == before)
        }
        #expect(ledger.outstanding.isEmpty == [.released, .withdrawn].contains(ledger.entries[0].phase))
    }

    @Test(arguments: Input.allCases.filter { $0 != .intend })
    func `an input for a lease that nobody knows is a violation`(_ input: Input) throws {
        var ledger = LeaseLedger()
        let violation = #expect(throws: LeaseLedger.Violation.self) { try Self.apply(input, to: &ledger, 7) }
        #expect(violation?.phase == nil)
        #expect(violation?.description == "'\(input.rawValue)' makes no sense for lease 7, which is unknown")
    }

    @Test func `the actions are those of the lease design, promises durable`() throws {
        let lease = try JournalExample.lease()
        var ledger = LeaseLedger()
        #expect(try ledger.intend(lease) == [.record(.leaseIntended(lease), isDurable: true), .sendPre(lease)])
        #expect(try ledger.sent(1) == [])
        #expect(
            try ledger.preAcknowledged(1, action: "skip", reason: "idle", state: "s") == [
                .record(.leaseAcknowledged(lease: 1, action: "skip", reason: "idle", state: "s"), isDurable: true)
            ])
        #expect(
            try ledger.releaseAttempted(1, outcome: .failed) == [
                .sendPost(lease, attempt: 1, outcome: .failed, state: "s")
            ])
        #expect(
            try ledger.releaseFailed(1, message: "died") == [
                .record(.leaseReleaseFailed(lease: 1, attempt: 1, message: "died"), isDurable: false)
            ])
        #expect(
            try ledger.releaseAttempted(1, outcome: .failed) == [
                .sendPost(lease, attempt: 2, outcome: .failed, state: "s")
            ])
        #expect(
            try ledger.released(1) == [
                .record(.leaseReleased(lease: 1, attempt: 2, outcome: "failed"), isDurable: true)
            ])
        #expect(ledger.outstanding.isEmpty)
    }

    @Test func `leases are released in the reverse order of their pres`() throws {
        var ledger = LeaseLedger()
        for id in 1...4 as ClosedRange<Int64> {
            #expect(ledger.nextID == id)
            for input in [Input.intend, .sent, .preAcknowledged] { _ = try Self.apply(input, to: &ledger, id) }
        }
        for input in [Input.releaseAttempted, .released] { _ = try Self.apply(input, to: &ledger, 3) }
        #expect(ledger.outstanding.map(\.lease.id) == [4, 2, 1])
        #expect(ledger.outstanding.map(\.state) == ["s4", "s2", "s1"])
    }

    /// Follows every sequence of allowed inputs to a depth of 9 and compares the books with what the journal tells.
    @Test func `whatever happens, the journal never forgets what is out`() throws {
        var checked = 0
        func explore(_ ledger: LeaseLedger, _ journal: [JournalEntry], _ depth: Int) throws {
            let replayed = LeaseLedger(replaying: journal)
            #expect(replayed.outstanding.map(\.lease) == ledger.outstanding.map(\.lease))
            #expect(replayed.outstanding.map(\.state) == ledger.outstanding.map(\.state))
            checked += 1
            guard depth > 0 else { return }
            let phase = ledger.entries.first?.phase
            let inputs = phase.map { Array((Self.moves[$0] ?? [:]).keys) } ?? [.intend]
            for input in inputs {
                var next = ledger
                var longer = journal
                for case .record(let event, _) in try Self.apply(input, to: &next) {
                    longer.append(
                        JournalEntry(
                            sequence: Int64(longer.count + 1), time: Moment(milliseconds: 0), event: event))
                }
                try explore(next, longer, depth - 1)
            }
        }
        try explore(LeaseLedger(), [], 9)
        #expect(checked == 47)
    }

    @Test func `a post after a replay counts its attempts on`() throws {
        var ledger = LeaseLedger(
            replaying: try [
                RunEvent.leaseIntended(JournalExample.lease()),
                .leaseAcknowledged(lease: 1, action: "continue", reason: nil, state: "lv"),
                .leaseReleaseFailed(lease: 1, attempt: 3, message: "died"),
            ].enumerated().map {
                JournalEntry(sequence: Int64($0.offset + 1), time: Moment(milliseconds: 0), event: $0.element)
            })
        #expect(
            try ledger.releaseAttempted(1, outcome: .unknown) == [
                .sendPost(JournalExample.lease(), attempt: 4, outcome: .unknown, state: "lv")
            ])
    }

    @Test func `odd journals are read as far as they make sense`() throws {
        let events: [RunEvent] = [
            .leaseReleased(lease: 9, attempt: 1, outcome: "ok"), .leaseIntended(try JournalExample.lease(1)),
            .leaseIntended(try JournalExample.lease(1, application: "other")),
            .leaseIntended(try JournalExample.lease(2)), .leaseReleased(lease: 1, attempt: 1, outcome: "strange"),
            .leasePreFailed(lease: 1, message: "late"), .unknown(kind: "lease.sold", payload: [:]),
        ]
        let ledger = LeaseLedger(
            replaying: events.map { JournalEntry(sequence: 1, time: Moment(milliseconds: 0), event: $0) })
        #expect(ledger.entries.map(\.phase) == [.released, .intended])
        #expect(ledger.entries[0].lease.application.text == "tracker")
        #expect(ledger.outstanding.map(\.lease.id) == [2])
    }
}
