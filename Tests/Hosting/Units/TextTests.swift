import PluginHost
import Testing

@Suite struct `Text of plugins` {
    private func lines(_ text: String, secrets: [String] = [], chunk: Int = .max) -> (emitted: [String], last: [String])
    {
        let mask = SecretMask()
        mask.add(secrets)
        var lines = StandardErrorLines(mask: mask)
        var emitted: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            Array(rest.prefix(chunk)).withUnsafeBytes { lines.append($0, now: .now) { emitted.append($0) } }
            rest = rest.dropFirst(chunk)
        }
        lines.finish(now: .now) { emitted.append($0) }
        return (emitted, lines.lastLines)
    }

    @Test(arguments: [1, 2, 5, Int.max])
    func `lines are cut where they end, however they come`(chunk: Int) {
        #expect(lines("one\r\n\ntwo\nthree", chunk: chunk).emitted == ["one", "two", "three"])
    }

    @Test func `control characters are shown, what is no UTF-8 is replaced`() {
        #expect(lines("a\u{1B}[31mb\tc\u{7}\n").emitted == [#"a\u{1B}[31mb c\u{7}"#])
        var mixed = StandardErrorLines(mask: SecretMask())
        var emitted: [String] = []
        ([0x61, 0xFF, 0x62, 0x0A] as [UInt8]).withUnsafeBytes { mixed.append($0, now: .now) { emitted.append($0) } }
        #expect(emitted == ["a\u{FFFD}b"])
    }

    @Test func `a long line is cut and what is missing counted`() {
        let text = String(repeating: "x", count: 10_000)
        #expect(lines(text + "\n").emitted == [String(repeating: "x", count: 8192) + " (1808 more bytes)"])
    }

    @Test func `a secret across the cap is masked`() {
        let secret = "topsecret"
        let text = String(repeating: "x", count: 8188) + secret + "y"
        let line = lines(text + "\n", secrets: [secret]).emitted.first ?? ""
        #expect(line.hasPrefix(String(repeating: "x", count: 8188) + "***"))
        #expect(!line.contains("tops"))
    }

    @Test func `no more than a thousand lines in ten seconds, then a count`() {
        var lines = StandardErrorLines(mask: SecretMask())
        var emitted: [String] = []
        let start = ContinuousClock.now
        func add(_ text: String, at seconds: Int) {
            Array(text.utf8).withUnsafeBytes { bytes in
                lines.append(bytes, now: start + .seconds(seconds)) { emitted.append($0) }
            }
        }
        for number in 0..<1003 { add("line \(number)\n", at: 0) }
        #expect(emitted.count == 1000)
        add("later\n", at: 11)
        #expect(emitted.suffix(2) == ["(3 more lines on standard error were left out)", "later"])
        #expect(lines.lastLines.count == 20)
        #expect(lines.lastLines.suffix(2) == ["line 1002", "later"])
    }

    @Test func `the longest secret goes first, short ones stay`() {
        let mask = SecretMask()
        mask.add(["pass", "password", "abc", "two\nlines here"])
        #expect(mask.masked("my password and pass, abc") == "my *** and ***, abc")
        #expect(mask.masked("it says lines here") == "it says ***")
        #expect(mask.masked("papass") == "pa***")
        mask.add([#"quo"te é"#])
        #expect(mask.masked(#"{"key":"quo\"te \u00E9"} quo"te é"#) == #"{"key":"***"} ***"#)
        #expect(SecretMask().masked("nothing") == "nothing")
    }

    @Test func `noise has a budget of lines and of bytes`() {
        var budget = NoiseBudget()
        let lines = (0..<101).map { _ in budget.spend(10) }
        #expect(lines == Array(repeating: true, count: 100) + [false])
        var bytes = NoiseBudget()
        #expect([bytes.spend(65_536), bytes.spend(1)] == [true, false])
    }

    @Test func `the environment holds what it must and nothing else`() {
        let host = ["PATH": "/bin", "HOME": "/h", "SECRET": "x", "AWS_PROFILE": "p"]
        #expect(
            PluginEnvironment.variables(passed: ["AWS_PROFILE", "UNSET"], temporaryDirectory: "/t") { host[$0] } == [
                "AWS_PROFILE=p", "HOME=/h", "LC_ALL=C.UTF-8", "PATH=/bin", "PYTHONUNBUFFERED=1", "PYTHONUTF8=1",
                "STILLPOINT_PLUGIN=1", "STILLPOINT_PLUGIN_PROTOCOLS=1", "TMPDIR=/t",
            ])
    }
}
