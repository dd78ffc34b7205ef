import Glibc
package import PluginProtocol
import Synchronization

/// The spool of one opened plugin: where the host builds objects, and a place for each of its processes.
package final class SharedSpool: Sendable {
    private static let nearPrefix = ".stillpoint-spool-"

    private let path: String
    private let run: OwnedDirectory
    private let nextNumber = Atomic<Int>(1)
    private let near = Mutex<(place: String, directory: OwnedDirectory)?>(nil)
    /// `in/` of the run directory, told to the plugin in `open`.
    package let input: String

    init(path: String, run: OwnedDirectory) throws {
        self.path = path
        self.run = run
        input = "\(path)/in"
        try ProcessSpool.makeDirectory(path)
        try ProcessSpool.makeDirectory(input)
    }

    /// Where objects to put are built: near the store when the plugin asked for it, else ``input``.
    package var buildDirectory: String { near.withLock { $0.map { "\($0.directory.path)/in" } } ?? input }

    /// Makes the place for one process.
    package func makeProcessSpool() throws -> ProcessSpool {
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        return try ProcessSpool(path: "\(path)/\(number)", run: run)
    }

    /// Moves ``buildDirectory`` to the file system of the store, once; removes what others have left there.
    ///
    /// A store without room for a directory is still to be read, and to be pruned: then objects are built in ``input``.
    ///
    /// - Parameter place: an absolute directory, from `spool_near` of the answer to `open`.
    /// - Throws: ``PluginHostError`` `spool` when it cannot be used.
    package func moveNear(_ place: SpoolPath, swept: (_ path: String, _ killed: Int) -> Void) throws {
        try near.withLock { near in
            guard near == nil else { return }
            let place = place.text
            OwnedDirectory.sweep(place, prefix: Self.nearPrefix, found: swept)
            let directory: OwnedDirectory
            do { directory = try OwnedDirectory(in: place, prefix: Self.nearPrefix) } catch {
                if Self.meansNoSpace(error) { return }
                throw PluginHostError.spool("no spool can be made in \(place), near the store", cause: error)
            }
            do { try ProcessSpool.makeDirectory("\(directory.path)/in") } catch {
                directory.remove()
                if Self.meansNoSpace(error) { return }
                throw error
            }
            near = (place, directory)
        }
    }

    private static func meansNoSpace(_ error: any Error) -> Bool {
        let failure = error as? SystemCallFailure ?? (error as? PluginHostError)?.cause as? SystemCallFailure
        return failure?.code == ENOSPC || failure?.code == EDQUOT
    }

    /// Removes everything.
    package func remove() {
        near.withLock { near in
            near?.directory.remove()
            near = nil
        }
        DirectoryRemoval.remove(path)
    }
}

/// The directories of one plugin process.
package final class ProcessSpool: Sendable {
    private let path: String
    private let run: OwnedDirectory
    private let nextNumber = Atomic<Int>(1)
    /// Where the plugin writes what the host asked for.
    package let output: String
    /// The plugin's working directory and TMPDIR.
    package let temporary: String

    init(path: String, run: OwnedDirectory) throws {
        self.path = path
        self.run = run
        output = "\(path)/out"
        temporary = "\(path)/tmp"
        for directory in [path, output, temporary] { try Self.makeDirectory(directory) }
    }

    /// A path in ``output`` that was never used.
    package func nextOutputPath() -> String {
        "\(output)/\(nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue)"
    }

    /// Notes the process that uses this place.
    func record(_ child: SpawnedChild) { run.record(child) }

    /// Removes everything; only after the process is gone.
    package func remove() { DirectoryRemoval.remove(path) }

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 else {
            throw PluginHostError.spool(
                "a spool directory cannot be made", cause: SystemCallFailure.last("mkdir \(path)"))
        }
    }
}
