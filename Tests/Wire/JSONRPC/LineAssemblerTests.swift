import JSONRPC
import Testing

@Suite struct `Line assembler` {
    private func lines(_ pieces: [String], maximum: Int = 16) -> [String] {
        var assembler = LineAssembler(maximumByteCount: maximum)
        var result: [String] = []
        for piece in pieces {
            assembler.append(Array(piece.utf8))
            while let line = assembler.next() {
                switch line {
                case .complete(let bytes): result.append(String(decoding: bytes, as: UTF8.self))
                case .overlong: result.append("<overlong>")
                }
            }
        }
        let rest = assembler.remainder
        if !rest.isEmpty { result.append("rest:" + String(decoding: rest, as: UTF8.self)) }
        return result
    }

    @Test func `several lines in one read`() { #expect(lines(["a\nb\nc"]) == ["a", "b", "rest:c"]) }

    @Test func `byte by byte gives the same as at once`() {
        let text = "{\"a\":1}\r\n\n\r\nabc\n0123456789abcdef\n0123456789abcdefg\nok\nrest"
        let expected = ["{\"a\":1}", "abc", "0123456789abcdef", "<overlong>", "ok", "rest:rest"]
        #expect(lines([text]) == expected)
        #expect(lines(text.unicodeScalars.map { String($0) }) == expected)
    }

    @Test func `carriage return before the line feed is dropped, elsewhere kept`() {
        #expect(lines(["a\rb\r\n", "\r\n", "c\r", "\n"]) == ["a\rb", "c"])
    }

    @Test func `a line of exactly the cap is taken, with and without carriage return`() {
        #expect(lines(["0123456789abcdef\n"]) == ["0123456789abcdef"])
        #expect(lines(["0123456789abcdef\r\n"]) == ["0123456789abcdef"])
        #expect(lines(["0123456789abcdef", "\r", "\n"]) == ["0123456789abcdef"])
    }

    @Test func `a line over the cap is told once, before its end, and the next line is whole`() {
        #expect(lines(["0123456789abcdefg"]) == ["<overlong>"])
        #expect(lines(["0123456789abcdef\rx", "yyyy", "zzzz\nnext\n"]) == ["<overlong>", "next"])
        #expect(lines(["0123456789abcdefghijk\nnext\n"]) == ["<overlong>", "next"])
    }

    @Test func `an endless line does not grow the memory`() {
        var assembler = LineAssembler(maximumByteCount: 1024)
        let piece = [UInt8](repeating: 0x78, count: 4096)
        var told = 0
        for _ in 0..<1000 {
            assembler.append(piece)
            while assembler.next() != nil { told += 1 }
        }
        #expect(told == 1)
        #expect(assembler.remainder.isEmpty)
    }
}
