import CLinux
import Glibc
import PluginProtocol
import Synchronization

/// The directories through which a host and its plugins hand each other files: one run directory for each host process.
///
/// `root/run-RANDOM/N-NAME/in` is shared by the processes of one opened plugin, `…/M/out` and `…/M/tmp` belong to one
/// process. Everything is mode 0700, and no name is ever used twice.
package final class Spool: Sendable {
    private static let prefix = "run-"

    private let directory: OwnedDirectory
    private let nextNumber = Atomic<Int>(1)

    /// Makes the run directory and removes what hosts that were killed have left in `root`.
    ///
    /// - Parameter swept: told each directory that was removed, and how many processes were ended.
    /// - Throws: ``PluginHostError`` `spool`.
    package init(root: String, swept: (_ path: String, _ killed: Int) -> Void) throws {
        guard SpoolPath("\(root)/x") != nil else { throw PluginHostError.unusableSpoolPath(root) }
        do {
            try Self.makeDirectories(root)
            OwnedDirectory.sweep(root, prefix: Self.prefix, found: swept)
            directory = try OwnedDirectory(in: root, prefix: Self.prefix)
        } catch { throw PluginHostError.spool("the spool in \(root) cannot be made", cause: error) }
    }

    /// Makes the directories of one opened plugin.
    ///
    /// - Throws: ``PluginHostError`` `spool`.
    package func makeShared(name: String) throws -> SharedSpool {
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        let safe = String(name.unicodeScalars.map { Self.isPlain($0) ? Character($0) : "_" }.prefix(64))
        return try SharedSpool(path: "\(directory.path)/\(number)-\(safe)", run: directory)
    }

    /// Removes everything.
    package func remove() { directory.remove() }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "0"..."9", "_", "-": true
        default: false
        }
    }

    private static func makeDirectories(_ path: String) throws {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/\(part)"
            guard mkdir(built, 0o700) == 0 || errno == EEXIST else { throw SystemCallFailure.last("mkdir \(built)") }
        }
        // EEXIST is also what a file in the way gives.
        _ = try OwnedDescriptor.open(path, O_RDONLY | CLINUX_O_DIRECTORY)
    }
}

extension PluginHostError {
    static func spool(_ sentence: String, cause: any Error) -> PluginHostError {
        PluginHostError(.spool, sentence, cause: cause)
    }

    static func unusableSpoolPath(_ path: String) -> PluginHostError {
        PluginHostError(
            .spool,
            "the spool directory '\(path)' cannot be used: it must be an absolute path of at most 400 "
                + "visible ASCII characters, without quotes, backslashes, '.', '..' and '//'")
    }
}
