/// What a ``PluginSupervisor`` needs to know.
package struct PluginHostConfiguration: Sendable {
    /// Absolute directory for the files that host and plugins hand each other; made when it is missing.
    package var spoolRoot: String
    /// The version of this program, told to plugins.
    package var hostVersion: String
    /// Names of variables of the host's environment that plugins get besides the usual ones.
    package var environmentPassed: [String]
    /// How long to wait for what.
    package var deadlines: PluginDeadlines
    /// Gets everything plugins do besides answering. Called on the thread of the plugin: it must return soon, since the
    /// plugin's output is not read meanwhile.
    package var onEvent: @Sendable (PluginEvent) -> Void

    /// Waits, and tells nobody what plugins do, unless said otherwise.
    package init(
        spoolRoot: String, hostVersion: String, environmentPassed: [String] = [],
        deadlines: PluginDeadlines = PluginDeadlines(), onEvent: @escaping @Sendable (PluginEvent) -> Void = { _ in }
    ) {
        self.spoolRoot = spoolRoot
        self.hostVersion = hostVersion
        self.environmentPassed = environmentPassed
        self.deadlines = deadlines
        self.onEvent = onEvent
    }
}
