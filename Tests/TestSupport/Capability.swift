import Glibc

/// What this machine lets tests do; a test that needs more is skipped by name.
package enum Capability {
    package static let isRoot = geteuid() == 0

    /// Mounting small file systems, which containers often forbid.
    package static let canMount: Bool = {
        guard isRoot, let directory = try? TemporaryDirectory("can-mount") else { return false }
        return (try? ShellScript("mkdir m && mount -t tmpfs none m && umount m").run(in: directory))?.status == 0
    }()
}
