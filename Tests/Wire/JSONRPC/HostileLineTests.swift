import JSON
import JSONRPC
import Testing

/// Every cut and every changed byte must give a verdict, never a trap.
@Suite struct `Hostile lines` {
    private static let lines = [
        #"{"jsonrpc":"2.0","id":"a1","result":{"entries":[{"key":"data/ab/c","size":9007199254740991}],"cursor":"x"}}"#,
        #"{"jsonrpc":"2.0","id":"a1","error":{"code":-32602,"message":"\u00e9\ud83d\ude00","data":{"retry_after_ms":5}}}"#,
        #"{"jsonrpc":"2.0","method":"progress","params":{"request":"a1","done":1,"total":2}}"#,
    ].map { Array($0.utf8) }

    private func verdict(_ line: [UInt8]) -> ServerLine {
        ServerLine.judge(line, knownNotifications: ["progress", "log"])
    }

    @Test(arguments: lines)
    func `every line that is cut off is a violation`(line: [UInt8]) {
        for count in 1..<line.count {
            guard case .violation = verdict(Array(line[..<count])) else {
                Issue.record("the first \(count) bytes were taken")
                continue
            }
            _ = ClientLine.judge(Array(line[..<count]))
        }
    }

    @Test(arguments: lines)
    func `every byte may be any other`(line: [UInt8]) {
        var verdicts = 0
        for index in line.indices {
            for replacement in [
                0, 9, 10, 13, 31, 34, 44, 46, 48, 58, 69, 91, 92, 93, 101, 123, 125, 127, 128, 192, 255,
            ] {
                var changed = line
                changed[index] = UInt8(replacement)
                _ = ClientLine.judge(changed)
                if case .response(let response) = verdict(changed) {
                    #expect(RequestID.isWellFormed(response.id.description))
                }
                verdicts += 1
            }
        }
        #expect(verdicts == line.count * 21)
    }

    @Test(arguments: [
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"a\":1e400}}", "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"size\":-9223372036854775809}}",
        "{\"\\u0000\":1}", "{\"a\":\"\\uDC00\"}",
    ])
    func `what jansson must not see, or refuses, is a violation`(text: String) {
        guard case .violation = verdict(Array(text.utf8)) else {
            Issue.record("taken: \(text)")
            return
        }
    }
}
