package import JSON

/// Where snapshots go: a storage plugin, its configuration, and how to open the repository in it.
package struct Destination: Sendable, Hashable {
    /// A ``Slug``, unique on a host.
    package var name: String
    /// A plugin's name or the absolute path of its executable.
    package var plugin: String
    /// What the plugin is opened with. Secrets stand here as references such as `{"secret": {"file": …}}`.
    package var config: JSONObject
    /// Where the repository's password comes from.
    package var password: PasswordSource

    /// - Throws: ``SnapshotModelError`` `malformedName` when `name` is not a ``Slug``.
    package init(name: String, plugin: String, config: JSONObject, password: PasswordSource) throws {
        guard Slug.isValid(name) else { throw SnapshotModelError.malformedName(name, of: "a destination") }
        self.name = name
        self.plugin = plugin
        self.config = config
        self.password = password
    }
}
