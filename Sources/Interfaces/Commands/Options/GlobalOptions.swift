import ArgumentParser
import HostServices

/// Options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The state directory (default: STILLPOINT_STATE, or the system's).", valueName: "dir"))
    var state: String?

    @Flag(name: .long, help: "Print JSON only.")
    var json = false

    @Flag(name: [.short, .long], help: "Print no progress and no remarks.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Say more; twice for everything that plugins do.")
    var verbose: Int

    @Flag(name: .customLong("no-color"), help: "No colours, as with NO_COLOR.")
    var noColor = false
}

/// How the repository is opened.
struct PasswordOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("password-file")],
        help: ArgumentHelp("Read the repository's password from a file.", valueName: "file"))
    var passwordFile: String?

    @Option(
        name: .customLong("password-command"),
        help: ArgumentHelp("Take the password from the output of a shell command.", valueName: "command"))
    var passwordCommand: String?

    @Option(
        name: .customLong("retry-lock"),
        help: ArgumentHelp("Wait this long for locks of others, e.g. 5m.", valueName: "time"))
    var retryLock: String?

    @Flag(
        name: .customLong("no-key-cache"),
        help: "Derive the key anew, and do not keep it in the kernel's keyring for 15 minutes.")
    var noKeyCache = false

    @Flag(
        name: .customLong("no-cache"), help: "Read everything from the repository, and keep no copies on this machine.")
    var noCache = false
}
