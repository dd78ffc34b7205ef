package import Catalog
package import Logging
package import PluginHost
package import Repository
package import SnapshotModel
package import Threads

/// What every pipeline works with; built by the composition root.
package struct PipelineHost: Sendable {
    package var catalog: Catalog
    package var supervisor: PluginSupervisor
    package var locator: PluginLocator
    /// Holds the journals of runs: `runs/` in the state directory.
    package var journalDirectory: String
    /// For scratch files such as the copy of the catalog; private, on a disk with room.
    package var scratchDirectory: String
    package var identity: Identity
    package var programVersion: String
    package var clock: @Sendable () -> Moment
    package var cancellation: Cancellation
    package var logger: Logger
    /// Minutes east of UTC on this machine's clock at a moment: snapshots carry it, and days of retention go by it.
    package var localOffsetMinutes: @Sendable (Moment) -> Int16 = { _ in 0 }
    /// How often runs try to release an application.
    package var releasePolicy = ReleasePolicy.running

    /// All parts but the local clock, which is UTC's, and the policy of releases, which is that of runs.
    package init(
        catalog: Catalog, supervisor: PluginSupervisor, locator: PluginLocator, journalDirectory: String,
        scratchDirectory: String, identity: Identity, programVersion: String, clock: @escaping @Sendable () -> Moment,
        cancellation: Cancellation, logger: Logger
    ) {
        self.catalog = catalog
        self.supervisor = supervisor
        self.locator = locator
        self.journalDirectory = journalDirectory
        self.scratchDirectory = scratchDirectory
        self.identity = identity
        self.programVersion = programVersion
        self.clock = clock
        self.cancellation = cancellation
        self.logger = logger
    }

    /// A new id for a run that starts now.
    package func makeRunID() -> RunID {
        var generator = SystemRandomNumberGenerator()
        return RunID(at: clock(), using: &generator)
    }
}
