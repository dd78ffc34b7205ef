import Testing

@testable import Commands

@Suite struct ArgumentOrderTests {
    @Test(arguments: [
        ("backup --json", "backup --json"),
        ("--json backup", "backup --json"),
        ("--state /s backup -a x", "backup --state /s -a x"),
        ("--state=/s --quiet application add file", "application add file --state=/s --quiet"),
        ("-p pw --json dump latest:/a", "dump latest:/a -p pw --json"),
        ("--json ls -r latest", "ls --json -r latest"),
        ("--state /s", ""),
        ("--state /s --help", "--help"),
        ("--json --version", "--version"),
        ("--state /s help backup", "help backup"),
        ("--state", "--state"),
        ("--frob backup", "--frob backup"),
        ("", ""),
    ])
    func `global options before the command are moved behind its words`(line: String, expected: String) {
        #expect(ArgumentOrder.normalized(words(line)) == words(expected))
    }

    @Test func `a first word that is no command is told with the nearest one`() {
        #expect(
            UsageText.unknownCommand(["bakcup", "--json"])
                == "There is no command 'bakcup'; did you mean 'backup'? 'stillpoint --help' lists those there are.")
        #expect(
            UsageText.unknownCommand(["xyzzy"])
                == "There is no command 'xyzzy'; 'stillpoint --help' lists those there are.")
        for line in ["", "backup", "--help", "help backup", "-h"] {
            #expect(UsageText.unknownCommand(words(line)) == nil)
        }
    }

    private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
}
