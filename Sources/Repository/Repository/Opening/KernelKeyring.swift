import CLinux
import Glibc

/// Keeps small secrets for a while, for the same user; never on a disk.
package protocol SecretKeeper: Sendable {
    /// What was kept under the name; nil when there is nothing, for whatever reason.
    func secret(named name: String) -> [UInt8]?
    /// Keeps bytes for a while; doing nothing is allowed.
    func keep(_ secret: [UInt8], named name: String)
    /// Lets what was found live for a while longer.
    func prolong(_ name: String)
    /// Forgets what was kept under the name.
    func forget(_ name: String)
}

/// The kernel's keyring of this user (keyrings(7)): memory of the kernel, which is never swapped out and ends with the
/// boot. Where the kernel refuses, as in many containers, nothing is kept and nothing is found.
package struct KernelKeyring: SecretKeeper {
    /// How long a secret lives after it was last used.
    package static let lifetimeSeconds: UInt32 = 15 * 60
    /// Everything for the possessor, and for the user to find, look at, read, set and link; nothing for anybody else
    /// (keyctl_setperm(3)).
    private static let permissions: UInt32 = 0x3F3F_0000

    package init() {}

    private func description(_ name: String) -> String { "stillpoint:\(name)" }

    private func find(_ name: String) -> Int32? {
        let key = clinux_search_key(CLINUX_USER_KEYRING, description(name))
        return key > 0 ? key : nil
    }

    package func secret(named name: String) -> [UInt8]? {
        guard let key = find(name) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = clinux_read_key(key, &bytes, bytes.count)
        return count > 0 && count <= bytes.count ? Array(bytes[0..<count]) : nil
    }

    package func keep(_ secret: [UInt8], named name: String) {
        // Made in the ring of the process, where it is ours to give permissions for: in services the user's ring is not
        // possessed (keyrings(7), "Possession").
        let key = clinux_add_key(description(name), secret, secret.count, CLINUX_PROCESS_KEYRING)
        guard key > 0 else { return }
        defer { _ = clinux_unlink_key(key, CLINUX_PROCESS_KEYRING) }
        guard clinux_permit_key(key, Self.permissions) == 0, clinux_expire_key(key, Self.lifetimeSeconds) == 0 else {
            return
        }
        // Replaces one of the same name.
        _ = clinux_link_key(key, CLINUX_USER_KEYRING)
    }

    package func prolong(_ name: String) {
        if let key = find(name) { _ = clinux_expire_key(key, Self.lifetimeSeconds) }
    }

    package func forget(_ name: String) {
        guard let key = find(name) else { return }
        // Gone at once for everybody, where the kernel lets us; at least out of the ring.
        if clinux_invalidate_key(key) != 0 { _ = clinux_unlink_key(key, CLINUX_USER_KEYRING) }
    }
}
