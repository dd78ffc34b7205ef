package import PluginProtocol

/// One executable that is used as a plugin of one kind.
package struct PluginReference: Sendable, Hashable {
    /// What the host wants from it.
    package let kind: PluginKind
    /// Short name for people, as in `stillpoint-storage-NAME`; for a plugin given by path, its file name.
    package let name: String
    /// Absolute path.
    package let executable: String
    /// Arguments after the path; usually none.
    package let arguments: [String]

    package init(kind: PluginKind, name: String, executable: String, arguments: [String] = []) {
        self.kind = kind
        self.name = name
        self.executable = executable
        self.arguments = arguments
    }
}

/// What ``PluginLocator/discover()`` found in a plugin directory.
package struct PluginDiscovery: Sendable {
    /// The name without prefix.
    package let name: String
    /// The kind in the file name; nil for `stillpoint-NAME`, whose kinds only `describe` tells.
    package let kind: PluginKind?
    /// Absolute path.
    package let executable: String
    /// Why it cannot be used; nil when nothing speaks against starting it.
    package let problem: PluginHostError?
}
