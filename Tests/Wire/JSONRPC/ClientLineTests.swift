import JSON
import JSONRPC
import Testing

@Suite struct `Verdict on a line of a client` {
    private func judge(_ text: String, acceptsNumbers: Bool = false) -> ClientLine {
        ClientLine.judge(Array(text.utf8), acceptsNumbers: acceptsNumbers)
    }

    private func code(_ text: String, acceptsNumbers: Bool = false) -> (RequestID, RPCErrorCode)? {
        guard case .invalid(let response) = judge(text, acceptsNumbers: acceptsNumbers),
            case .failure(let error) = response.outcome
        else { return nil }
        return (response.id, error.code)
    }

    @Test func `requests and notifications`() {
        #expect(
            judge(#"{"jsonrpc":"2.0","id":"x","method":"check","params":{"a":1}}"#)
                == .request(RPCRequest(id: .text("x"), method: "check", params: ["a": 1])))
        #expect(
            judge(#"{"jsonrpc":"2.0","id":"x","method":"check"}"#)
                == .request(RPCRequest(id: .text("x"), method: "check")))
        #expect(
            judge(#"{"jsonrpc":"2.0","method":"cancel","params":{"request":"x"}}"#)
                == .notification(RPCNotification(method: "cancel", params: ["request": "x"])))
    }

    @Test func `garbage is a parse error with the id null`() throws {
        for text in ["garbage", "{\"jsonrpc\":", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}"] {
            #expect(try #require(code(text)) == (.unknown, .parseError))
        }
    }

    @Test func `what is JSON and no request is invalid, under its id where it has one`() throws {
        #expect(try #require(code("[{}]")) == (.unknown, .invalidRequest))
        #expect(try #require(code(#"{"jsonrpc":"2.0","id":1,"method":"m"}"#)) == (.unknown, .invalidRequest))
        #expect(try #require(code(#"{"jsonrpc":"2.0","id":null,"method":"m"}"#)) == (.unknown, .invalidRequest))
        #expect(try #require(code(#"{"id":"1","method":"m"}"#)) == (.text("1"), .invalidRequest))
        #expect(try #require(code(#"{"jsonrpc":"2.0","id":"1"}"#)) == (.text("1"), .invalidRequest))
        #expect(
            try #require(code(#"{"jsonrpc":"2.0","id":"1","method":"m","params":[]}"#)) == (.text("1"), .invalidRequest)
        )
    }

    @Test(arguments: ["null", "1.5", "1.0", "true", "{}", "9007199254740992"])
    func `the client API takes integers and strings as ids, nothing else`(id: String) throws {
        let text = "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"m\"}"
        #expect(try #require(code(text, acceptsNumbers: true)) == (.unknown, .invalidRequest))
    }

    @Test func `an integer id keeps its type`() {
        #expect(
            judge(#"{"jsonrpc":"2.0","id":-3,"method":"m"}"#, acceptsNumbers: true)
                == .request(RPCRequest(id: .number(-3), method: "m")))
    }
}
