import Catalog
package import JSON
import Maintenance
import ObjectStorage
package import PluginHost
package import PluginProtocol
import Pipelines
package import Repository
package import RepositoryFormat
package import SnapshotModel
package import Threads

/// A destination whose storage plugin runs and whose repository is open.
package struct OpenDestination: Sendable {
    package let destination: Destination
    package let plugin: StoragePlugin
    package let repository: OpenRepository
    let store: PluginObjectStore

    /// Ends the storage plugin.
    package func close() {
        plugin.close()
        store.close()
    }
}

extension Host {
    /// The destination that is configured.
    ///
    /// - Throws: ``ServiceError/Code/notSetUp``.
    package func destination() throws -> Destination {
        guard let destination = try catalog.destinations().first(where: { $0.name == Self.destinationName }) else {
            throw ServiceError(.notSetUp, "There is no destination yet; make one with 'stillpoint init'.")
        }
        return destination
    }

    /// Starts the storage plugin of a destination.
    ///
    /// - Parameter cancellation: stops its calls; nil for that of the command.
    /// - Throws: ``ServiceError/Code/noPlace`` when the plugin says that its place is positively absent; errors of the
    ///   plugin host.
    package func openStorage(
        _ destination: Destination, mode: AccessMode = .readWrite, cancellation: Cancellation? = nil
    ) throws -> StoragePlugin {
        do {
            return try pipelines.supervisor.openStorage(
                try locator.locate(.storage, destination.plugin), instance: destination.name, mode: mode,
                config: destination.config, cancellation: cancellation ?? self.cancellation)
        } catch let error as PluginHostError where error.isPlaceAbsent {
            let reason = error.remoteMessage ?? error.message
            throw ServiceError(.noPlace, "There is no repository at the destination: \(reason).")
        }
    }

    /// Writes, reads, lists and deletes an object in a destination.
    ///
    /// - Throws: what the storage plugin says; `PipelineError` when it says one thing and does another.
    package func test(_ destination: Destination) throws {
        let plugin = try openStorage(destination)
        defer { plugin.close() }
        try plugin.check()
        try StoreProbe(PluginObjectStore(plugin)).run()
    }

    /// Opens the configured destination and its repository.
    ///
    /// - Parameters:
    ///   - remembersKey: keep the repository's key in the kernel's keyring for a while, and use one that is there.
    ///   - caches: keep copies of indexes, snapshots and trees on this machine, and use those that are there.
    package func openDestination(
        _ password: PasswordResolver, remembersKey: Bool = true, caches: Bool = true
    ) throws -> OpenDestination {
        let destination = try destination()
        let opened = try open(destination, remembersKey: remembersKey) {
            try password.password(remembered: destination.password)
        }
        if caches {
            // Without a cache everything works, slower.
            try? StatePaths.makeDirectories(paths.cache)
            opened.repository.useCache(root: paths.cache)
        }
        return opened
    }

    /// Opens a destination and its repository.
    ///
    /// - Parameter password: asked for once the storage plugin runs.
    func open(
        _ destination: Destination, remembersKey: Bool, _ password: () throws -> [UInt8]
    ) throws -> OpenDestination {
        let plugin = try openStorage(destination)
        let store = PluginObjectStore(plugin) { try self.openStorage(destination, cancellation: Cancellation()) }
        do {
            let repository = try OpenRepository.open(
                store, password: password(), keyCache: remembersKey ? KeyCache() : nil)
            return OpenDestination(
                destination: destination, plugin: plugin, repository: repository, store: store)
        } catch {
            plugin.close()
            throw error
        }
    }

    /// Makes a repository in a new destination and remembers both.
    ///
    /// - Parameter model: a repository as which the new one is to cut files; nil for a way of its own.
    /// - Throws: ``RepositoryError/Code/exists`` when there is a repository; nothing is remembered then.
    package func initialize(
        storage: String, config: JSONObject, password: PasswordResolver, like model: OpenRepository? = nil
    ) throws -> (destination: Destination, config: RepositoryConfig) {
        let destination = try Destination(
            name: Self.destinationName, plugin: storage, config: config, password: password.rememberedSource())
        let plugin = try openStorage(try makingPlace(destination))
        defer { plugin.close() }
        let repository = try makeRepository(
            PluginObjectStore(plugin), password: password.password(confirming: true), like: model)
        try catalog.save(destination, at: Self.now())
        return (destination, repository.config)
    }

    /// Makes a repository, and the reserve for the day on which its store is full.
    @discardableResult
    func makeRepository(
        _ store: PluginObjectStore, password: [UInt8], like model: OpenRepository?
    ) throws -> OpenRepository {
        let now = Timestamp(milliseconds: Self.now().milliseconds)
        let repository =
            if let model {
                try SnapshotCopy.makeTarget(
                    store, password: password, identity: pipelines.identity, now: now, like: model)
            } else {
                try OpenRepository.initialize(store, password: password, identity: pipelines.identity, now: now)
            }
        // Without a reserve there is a repository all the same; the next prune makes it.
        try? makeReserve(repository)
        return repository
    }

    /// The destination as a new repository needs it: plugins that know the setting `create` may make its place, once.
    /// Afterwards a missing place is an error: a disk that is not mounted must not look like an empty repository.
    func makingPlace(_ destination: Destination) throws -> Destination {
        let reference = try locator.locate(.storage, destination.plugin)
        let description = try pipelines.supervisor.describe(reference, cancellation: cancellation)
        guard destination.config["create"] == nil,
            description.configSchema.json["properties"]?.objectValue?["create"] != nil
        else { return destination }
        var config = destination.config
        config["create"] = true
        return try Destination(
            name: destination.name, plugin: destination.plugin, config: config, password: destination.password)
    }

    /// Remembers a destination whose repository exists, after opening it.
    package func adopt(storage: String, config: JSONObject, password: PasswordResolver) throws -> Destination {
        let destination = try Destination(
            name: Self.destinationName, plugin: storage, config: config, password: password.rememberedSource())
        let plugin = try openStorage(destination)
        defer { plugin.close() }
        _ = try OpenRepository.open(PluginObjectStore(plugin), password: password.password())
        try catalog.save(destination, at: Self.now())
        return destination
    }
}
