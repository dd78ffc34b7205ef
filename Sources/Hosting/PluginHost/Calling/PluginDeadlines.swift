/// How long the host waits for what. Source of the defaults: protocol, host rules, table of deadlines and rules 9 to 16.
package struct PluginDeadlines: Sendable {
    /// `describe`, in all.
    package var describe: Duration = .seconds(10)
    /// `open`, in all.
    package var open: Duration = .seconds(60)
    /// `storage.stat`, `storage.delete` and `check`, in all.
    package var short: Duration = .seconds(60)
    /// One page of `storage.list`, in all.
    package var listPage: Duration = .seconds(120)
    /// `storage.put`, `storage.get`, `source.dump`, `source.load` without progress and without bytes through a FIFO.
    package var transferIdle: Duration = .seconds(60)
    /// `storage.put` and `storage.get` in all: this, and a second for each ``transferBytesPerSecond``.
    package var transferBase: Duration = .seconds(60)
    /// The slowest transfer that is waited for, in bytes a second.
    package var transferBytesPerSecond: Int64 = 65_536
    /// However large an object is, its transfer is not waited for longer.
    package var transferMaximum: Duration = .seconds(6 * 3600)
    /// From `cancel` to the end of the process group.
    package var cancelGrace: Duration = .seconds(10)
    /// A request that makes no progress into the plugin's standard input.
    package var inputStall: Duration = .seconds(30)
    /// From end-of-file on standard input to SIGTERM.
    package var exitAfterEndOfFile: Duration = .seconds(5)
    /// From SIGTERM to SIGKILL.
    package var exitAfterTerminate: Duration = .seconds(5)
    /// From SIGKILL until the host stops waiting for a process that the kernel does not let go.
    package var exitAfterKill: Duration = .seconds(10)
    /// For the rest of standard output after the plugin has ended while calls wait, when a child of it keeps it open.
    package var drain: Duration = .seconds(2)
    /// For a plugin that closed its standard output, or stopped reading, to end by itself.
    package var closedStreamGrace: Duration = .seconds(2)
    /// For the command that prints a secret.
    package var secretCommand: Duration = .seconds(30)
    /// Waits before a new process is started after the first, second, … death in a row; ±20 %.
    package var restartDelays: [Duration] = [
        .milliseconds(100), .milliseconds(500), .seconds(2), .seconds(5), .seconds(15), .seconds(30),
    ]
    /// This many deaths…
    package var breakerDeaths = 5
    /// …within this time, and the plugin is not started again.
    package var breakerWindow: Duration = .seconds(180)
    /// How often one request is sent in all, when it may be repeated.
    package var attempts = 3

    package init() {}

    /// The hard limit of a transfer of `byteCount` bytes.
    func transfer(_ byteCount: Int64) -> Duration {
        min(transferMaximum, transferBase + .seconds(max(0, byteCount) / max(1, transferBytesPerSecond)))
    }
}
