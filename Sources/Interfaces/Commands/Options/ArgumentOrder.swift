/// Lets global options stand before the command: `stillpoint --state DIR backup`.
enum ArgumentOrder {
    private static let flags: Set<String> = ["--json", "--quiet", "-q", "--verbose", "-v", "-vv", "--no-color"]
    private static let options: Set<String> = [
        "--state", "--password-file", "-p", "--password-command", "--retry-lock",
    ]

    /// The arguments with leading global options moved behind the words that name the command; without such words the
    /// options are dropped, because help and version need none.
    static func normalized(_ arguments: [String]) -> [String] {
        var moved: [String] = []
        var position = 0
        while position < arguments.count {
            let argument = arguments[position]
            if flags.contains(argument) {
                moved.append(argument)
                position += 1
            } else if options.contains(argument), position + 1 < arguments.count {
                moved += [argument, arguments[position + 1]]
                position += 2
            } else if options.contains(where: { $0.hasPrefix("--") && argument.hasPrefix($0 + "=") }) {
                moved.append(argument)
                position += 1
            } else {
                break
            }
        }
        guard !moved.isEmpty else { return arguments }
        // Behind the leading words: the command and its subcommand; what follows them keeps its order.
        var end = position
        while end < arguments.count, !arguments[end].hasPrefix("-") { end += 1 }
        let words = arguments[position..<end]
        if words.isEmpty || words.first == "help" { return Array(arguments[position...]) }
        return words + moved + arguments[end...]
    }
}
