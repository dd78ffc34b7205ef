package import Catalog
import CLinux
import Glibc
package import Logging
package import Pipelines
package import PluginHost
package import Repository
package import SnapshotModel
package import Threads

/// The composition root: everything that a command needs, built from paths and options. Close it when done.
package final class Host: Sendable {
    /// This program's version.
    package static let version = "0.1.0"
    /// The name of the one destination that commands use unless told otherwise.
    package static let destinationName = "default"

    /// Where everything of this host lies.
    package let paths: StatePaths
    /// Open until ``close()``.
    package let catalog: Catalog
    /// What runs work with; shares the catalog and the cancellation.
    package let pipelines: PipelineHost
    /// Where all plugins of this host are heard.
    package let events: EventRouter
    /// Stops whatever the host does.
    package let cancellation: Cancellation
    /// Finds plugins in ``pluginDirectories(_:)``.
    package let locator: PluginLocator

    /// Opens an existing state directory.
    ///
    /// - Throws: ``ServiceError/Code/notSetUp`` when there is none; errors of catalog and plugin host.
    package convenience init(
        existing paths: StatePaths, environment: Environment, cancellation: Cancellation, logger: Logger
    ) throws {
        guard paths.exists else {
            throw ServiceError(
                .notSetUp,
                "There is no state in \(paths.root); set it up with 'stillpoint init', or name another with --state.")
        }
        try self.init(creating: paths, environment: environment, cancellation: cancellation, logger: logger)
    }

    /// Opens a state directory, making it when it is missing.
    package init(
        creating paths: StatePaths, environment: Environment, cancellation: Cancellation, logger: Logger
    ) throws {
        self.paths = paths
        self.cancellation = cancellation
        try paths.prepare()
        catalog = try Catalog(path: paths.catalog)
        let events = EventRouter()
        self.events = events
        locator = PluginLocator(directories: Self.pluginDirectories(environment))
        let supervisor = try PluginSupervisor(
            configuration: PluginHostConfiguration(
                spoolRoot: paths.spool, hostVersion: Self.version,
                environmentPassed: environment["STILLPOINT_PLUGIN_ENV"]?.split(separator: ",").map(String.init) ?? [],
                onEvent: { events.send($0) }),
            logger: logger)
        var pipelines = PipelineHost(
            catalog: catalog, supervisor: supervisor, locator: locator, journalDirectory: paths.runs,
            scratchDirectory: paths.scratch, identity: Self.identity(), programVersion: Self.version,
            clock: { Host.now() }, cancellation: cancellation, logger: logger)
        pipelines.localOffsetMinutes = { Int16(clamping: Host.localOffset(atSecond: $0.milliseconds / 1000) / 60) }
        self.pipelines = pipelines
    }

    /// Ends all plugins.
    package func close() {
        pipelines.supervisor.shutdown()
        // Everything was written when its call returned; what fails here loses nothing.
        try? catalog.close()
    }

    /// The present moment.
    package static func now() -> Moment {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Moment(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
    }

    /// Host name and user, as they stand in keys, locks and snapshots.
    package static func identity() -> Identity {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let hostname = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? String(getuid())
        return Identity(hostname: hostname, username: user, uid: getuid(), gid: getgid())
    }

    /// Where plugins are looked for: `STILLPOINT_PLUGIN_PATH`, beside this program, and the system's places.
    package static func pluginDirectories(_ environment: Environment) -> [String] {
        var directories = environment["STILLPOINT_PLUGIN_PATH"]?.split(separator: ":").map(String.init) ?? []
        var link = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &link, link.count)
        if count > 0 {
            let path = String(decoding: link[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            directories += [folder, folder + "/../libexec/stillpoint/plugins"]
        }
        return directories + ["/usr/local/libexec/stillpoint/plugins", "/usr/libexec/stillpoint/plugins"]
    }
}
