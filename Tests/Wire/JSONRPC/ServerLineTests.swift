import JSON
import JSONRPC
import Testing

@Suite struct `Verdict on a line of a plugin` {
    private func judge(_ text: String) -> ServerLine {
        ServerLine.judge(Array(text.utf8), knownNotifications: ["progress", "log"])
    }

    @Test func `a good result, with spaces and unknown members`() {
        #expect(
            judge(#"{ "result" : {"size": 5}, "x-more": 1, "id": "a.b_C-9", "jsonrpc": "2.0" } "#)
                == .response(RPCResponse(id: .text("a.b_C-9"), outcome: .success(["size": 5]))))
    }

    @Test func `a good error`() {
        #expect(
            judge(
                #"{"jsonrpc":"2.0","id":"1","error":{"code":1,"message":"no such object","data":{"retryable":false}}}"#)
                == .response(
                    RPCResponse(
                        id: .text("1"),
                        outcome: .failure(RPCError(.notFound, "no such object", data: ["retryable": false])))))
    }

    @Test func `known and unknown notifications`() {
        #expect(
            judge(#"{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"x"}}"#)
                == .notification(RPCNotification(method: "log", params: ["level": "info", "message": "x"])))
        #expect(
            judge(#"{"jsonrpc":"2.0","method":"x.acme.hi"}"#) == .unknownNotification(method: "x.acme.hi"))
    }

    @Test func `a request is told apart, with the id to answer it`() {
        #expect(
            judge(#"{"jsonrpc":"2.0","id":5,"method":"host.getConfig"}"#)
                == .request(id: .number(5), method: "host.getConfig"))
        #expect(judge(#"{"jsonrpc":"2.0","id":[],"method":"x"}"#) == .request(id: nil, method: "x"))
    }

    @Test func `text that is no message is noise, made safe`() {
        #expect(judge("Welcome\u{1B}[31m to\tS3") == .noise("Welcome\\u{1B}[31m to S3"))
        #expect(judge("[1,2]") == .noise("[1,2]"))
        #expect(judge(" {\"a\":1}") == .noise(" {\"a\":1}"))
    }

    @Test(
        arguments: [
            (#"Loading...{"jsonrpc":"2.0","id":"1","result":{}}"#, nil, "glued a message"),
            (#"{"jsonrpc":"2.0""#, nil, "not a message"),
            (#"{"jsonrpc":"2.0","id":"1","id":"1","result":{}}"#, nil, "twice"),
            (#"{"jsonrpc":"2.0","id":"1","result":{"size":9223372036854775808}}"#, nil, "not a message"),
            (#"{"jsonrpc":"2.0","id":"1","result":{}} {}"#, nil, "not a message"),
            (#"{"id":"1","result":{}}"#, nil, "without \"jsonrpc\""),
            (#"{"jsonrpc":2.0,"id":"1","result":{}}"#, nil, "without \"jsonrpc\""),
            (#"{"jsonrpc":"2.0","id":1,"result":{}}"#, nil, "an integer instead of"),
            (#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"eh"}}"#, nil, "it says: eh"),
            (#"{"jsonrpc":"2.0","result":{}}"#, nil, "no id instead of"),
            (#"{"jsonrpc":"2.0","id":"a b","result":{}}"#, nil, "a text that is no id"),
            (#"{"jsonrpc":"2.0","id":"1"}"#, "1", "neither"),
            (#"{"jsonrpc":"2.0","id":"1","result":{},"error":{"code":1,"message":"x"}}"#, "1", "both"),
            (#"{"jsonrpc":"2.0","id":"1","result":[]}"#, "1", "an array instead of an object"),
            (#"{"jsonrpc":"2.0","id":"1","result":null}"#, "1", "null instead of an object"),
            (#"{"jsonrpc":"2.0","id":"1","error":"bad"}"#, "1", "not one"),
            (#"{"jsonrpc":"2.0","id":"1","error":{"message":"x"}}"#, "1", "'error.code' is missing"),
            (#"{"jsonrpc":"2.0","id":"1","error":{"code":"1","message":"x"}}"#, "1", "must be an integer"),
            (#"{"jsonrpc":"2.0","id":"1","error":{"code":1099511627776,"message":"x"}}"#, "1", "from"),
            (#"{"jsonrpc":"2.0","method":7}"#, nil, "not a string"),
            (#"{"jsonrpc":"2.0","method":"log","params":[]}"#, nil, "not an object"),
            (#"{"jsonrpc":"2.0","id":"1","method":"x","result":{}}"#, nil, "with 'method' and"),
        ] as [(String, String?, String)])
    func `what breaks the protocol, with its reason and the call it concerns`(text: String, id: String?, reason: String)
    {
        guard case .violation(let violation) = judge(text) else {
            Issue.record("not a violation: \(judge(text))")
            return
        }
        #expect(violation.id == id.map { .text($0) })
        #expect(violation.reason.contains(reason), "\(violation.reason)")
    }

    @Test func `a line that is deeper than 32 is a violation, not a crash`() {
        guard case .violation = judge(String(repeating: "{\"a\":", count: 100_000)) else {
            Issue.record("not a violation")
            return
        }
    }

    @Test func `an error message cannot carry terminal escapes or line breaks`() throws {
        let line = #"{"jsonrpc":"2.0","id":"1","error":{"code":7,"message":"\u001b[2Jgone\nreally"}}"#
        guard case .response(let response) = judge(line), case .failure(let error) = response.outcome else {
            Issue.record("not an error response")
            return
        }
        #expect(error.message == "\\u{1B}[2Jgone\\u{A}really")
    }
}
