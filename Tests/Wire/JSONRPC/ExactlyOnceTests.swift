import JSON
import JSONRPC
import Synchronization
import Testing

@Suite struct `Exactly one answer` {
    private func name(_ arrival: PendingRequests<String>.Arrival) -> String {
        switch arrival {
        case .deliver(let waiter): "deliver \(waiter)"
        case .late: "late"
        case .unknown: "unknown"
        }
    }

    @Test func `a response is delivered once, a second one is unknown`() throws {
        var table = PendingRequests<String>()
        #expect(try table.register(.text("1"), "one"))
        #expect(try table.register(.text("2"), "two"))
        #expect(name(table.receive(.text("2"))) == "deliver two")
        #expect(name(table.receive(.text("2"))) == "unknown")
        #expect(name(table.receive(.text("3"))) == "unknown")
        #expect(table.count == 1)
    }

    @Test func `after giving up, the late response is dropped, and only one`() throws {
        var table = PendingRequests<String>()
        #expect(try table.register(.text("1"), "one"))
        #expect(table.abandon(.text("1")) == "one")
        #expect(table.abandon(.text("1")) == nil)
        #expect((table.count, table.outstandingCount) == (0, 1))
        #expect(name(table.receive(.text("1"))) == "late")
        #expect(name(table.receive(.text("1"))) == "unknown")
        #expect(table.outstandingCount == 0)
    }

    @Test func `giving up after the response returns nobody`() throws {
        var table = PendingRequests<String>()
        #expect(try table.register(.text("1"), "one"))
        _ = table.receive(.text("1"))
        #expect(table.abandon(.text("1")) == nil)
    }

    @Test func `an id that is in use or not yet over is refused`() throws {
        var table = PendingRequests<String>()
        #expect(try table.register(.text("1"), "one"))
        #expect(throws: FramingError.self) { try table.register(.text("1"), "again") }
        _ = table.abandon(.text("1"))
        #expect(throws: FramingError.self) { try table.register(.text("1"), "again") }
        _ = table.receive(.text("1"))
        #expect(try table.register(.text("1"), "again"))
    }

    @Test func `closing returns every waiter once and takes no more`() throws {
        var table = PendingRequests<String>()
        for index in 0..<10 { #expect(try table.register(.text("\(index)"), "w\(index)")) }
        _ = table.abandon(.text("3"))
        _ = table.receive(.text("4"))
        #expect(table.close().sorted() == ["w0", "w1", "w2", "w5", "w6", "w7", "w8", "w9"])
        #expect(table.close().isEmpty)
        #expect(try !table.register(.text("x"), "late"))
        #expect(name(table.receive(.text("0"))) == "late")
    }

    private final class Sent: Sendable {
        let responses = Mutex<[RPCResponse]>([])
        var all: [RPCResponse] { responses.withLock { $0 } }
    }

    @Test func `a reply is sent once`() {
        let sent = Sent()
        let reply = ReplyOnce(id: .text("1")) { response in sent.responses.withLock { $0.append(response) } }
        #expect(reply.resolve(.success(["a": 1])))
        #expect(!reply.resolve(.failure(RPCError(.internalError, "x"))))
        #expect(sent.all == [RPCResponse(id: .text("1"), outcome: .success(["a": 1]))])
    }

    @Test func `a reply that everybody forgot is an internal error`() {
        let sent = Sent()
        do {
            let reply = ReplyOnce(id: .text("1")) { response in sent.responses.withLock { $0.append(response) } }
            _ = reply.id
        }
        #expect(
            sent.all == [
                RPCResponse(
                    id: .text("1"),
                    outcome: .failure(RPCError(.internalError, "the request was dropped without an answer")))
            ])
    }
}
