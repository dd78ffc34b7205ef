import JSON
import JSONRPC
import Testing

@Suite struct `Canonical profile` {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `a request has these bytes`() throws {
        let request = RPCRequest(
            id: .text("r-1"), method: "storage.put",
            params: ["key": "data/ab/abcd", "size": 12, "sha256": "00ff", "path": "/spool/in/1", "if_absent": true])
        let expected =
            #"{"jsonrpc":"2.0","id":"r-1","method":"storage.put","params":{"key":"data/ab/abcd","#
            + #""size":12,"sha256":"00ff","path":"/spool/in/1","if_absent":true}}"# + "\n"
        #expect(text(try request.canonicalLine()) == expected)
    }

    @Test func `objects and arrays come after scalars, and text is ASCII`() throws {
        let request = RPCRequest(
            id: .text("1"), method: "open",
            params: ["config": ["path": "/bäckup", "id": "inner names are free"], "list": [1], "mode": "rw", "x": nil])
        let expected =
            #"{"jsonrpc":"2.0","id":"1","method":"open","params":{"mode":"rw","x":null,"#
            + #""config":{"path":"/b\u00E4ckup","id":"inner names are free"},"list":[1]}}"# + "\n"
        #expect(text(try request.canonicalLine()) == expected)
    }

    @Test func `a notification has no id and params is always there`() throws {
        let line = try RPCNotification(method: "cancel", params: ["request": "7"]).canonicalLine()
        #expect(text(line) == #"{"jsonrpc":"2.0","method":"cancel","params":{"request":"7"}}"# + "\n")
        let check = try RPCRequest(id: .text("9"), method: "check").canonicalLine()
        #expect(text(check) == #"{"jsonrpc":"2.0","id":"9","method":"check","params":{}}"# + "\n")
    }

    @Test(arguments: ["jsonrpc", "id", "method", "params"])
    func `a parameter must not be called like a member of the message`(name: String) {
        let request = RPCRequest(id: .text("1"), method: "m", params: [name: 1])
        #expect { try request.canonicalLine() } throws: { ($0 as? FramingError)?.code == .reservedName }
    }

    @Test(arguments: [.real(1.5), .integer(9_007_199_254_740_992), ["deep": [.real(1)]]] as [JSONValue])
    func `numbers that not everybody can read are refused`(number: JSONValue) {
        let request = RPCRequest(id: .text("1"), method: "m", params: ["n": number])
        #expect { try request.canonicalLine() } throws: { ($0 as? FramingError)?.code == .fraction }
    }

    @Test func `the cap holds at its edge, with the line feed`() throws {
        func request(_ count: Int) -> RPCRequest {
            RPCRequest(id: .text("1"), method: "m", params: ["x": .string(String(repeating: "x", count: count))])
        }
        let overhead = try request(0).canonicalLine().count
        #expect(try request(65_536 - overhead).canonicalLine().count == 65_536)
        #expect { try request(65_537 - overhead).canonicalLine() } throws: {
            ($0 as? FramingError)?.code == .lineTooLong
        }
    }

    @Test func `responses have these bytes`() throws {
        #expect(
            text(try RPCResponse(id: .text("a"), outcome: .success(["size": 3])).line())
                == #"{"jsonrpc":"2.0","id":"a","result":{"size":3}}"# + "\n")
        let error = RPCError(.rateLimited, "slow\ndown", data: ["retry_after_ms": 250])
        #expect(
            text(try RPCResponse(id: .number(4), outcome: .failure(error)).line())
                == #"{"jsonrpc":"2.0","id":4,"error":{"code":8,"message":"slow\\u{A}down","data":{"retry_after_ms":250}}}"#
                + "\n")
        #expect(error.retryAfter == .milliseconds(250))
    }
}
