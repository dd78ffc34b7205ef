import CLinux
import Glibc
import TestSupport

/// A tmpfs of a few megabytes, where the test may mount one.
final class SmallFileSystem: Sendable {
    private let directory: TemporaryDirectory
    var path: String { directory.path("small") }

    /// Nil when mounting is not allowed here.
    init?(megabytes: Int) throws {
        directory = try TemporaryDirectory("small")
        mkdir(path, 0o700)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}
