/// An application that this host knows, with the text of its application.yaml as it was when it was registered.
package struct RegisteredApplication: Sendable, Hashable {
    /// The name in the manifest.
    package var name: ApplicationName
    /// The text of application.yaml.
    package var manifestText: String
    /// The absolute path of application.yaml; relative paths in it start at its directory.
    package var sourcePath: String
    /// When it was first registered.
    package var registered: Moment
    /// When the manifest was last read from the file.
    package var updated: Moment
    /// The place in the order in which applications are captured and restored, from 0.
    package var position: Int

    /// An application with everything that the catalog keeps about it.
    package init(
        name: ApplicationName, manifestText: String, sourcePath: String, registered: Moment, updated: Moment,
        position: Int
    ) {
        self.name = name
        self.manifestText = manifestText
        self.sourcePath = sourcePath
        self.registered = registered
        self.updated = updated
        self.position = position
    }
}
