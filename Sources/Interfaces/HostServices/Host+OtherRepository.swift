import Catalog
package import JSON
import Maintenance
import Pipelines
import PluginHost
package import Repository
import RepositoryFormat
import SnapshotModel

extension Host {
    /// The name under which a second repository's plugin is opened.
    private static let otherName = "other"

    /// Opens a repository that is not the configured one; nothing of it is remembered.
    package func openOther(storage: String, config: JSONObject, password: PasswordResolver) throws -> OpenDestination {
        try open(
            Destination(name: Self.otherName, plugin: storage, config: config, password: .none), remembersKey: false
        ) {
            try password.password()
        }
    }

    /// Makes a repository beside the configured one, which cuts files as `model` does, and opens it.
    ///
    /// - Throws: ``RepositoryError/Code/exists`` when there is one.
    package func initializeOther(
        storage: String, config: JSONObject, password: PasswordResolver, like model: OpenRepository
    ) throws -> OpenDestination {
        let destination = try Destination(name: Self.otherName, plugin: storage, config: config, password: .none)
        let secret = try password.password(confirming: true)
        let plugin = try openStorage(try makingPlace(destination))
        do {
            defer { plugin.close() }
            try makeRepository(PluginObjectStore(plugin), password: secret, like: model)
        }
        return try open(destination, remembersKey: false) { secret }
    }
}
