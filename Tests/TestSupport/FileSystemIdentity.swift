import Glibc

/// What the calling thread is for file systems; on Linux a thread's own, and inherited by the threads it starts.
///
/// A test that runs as root reaches files that nobody may read by taking another identity for a while (setfsuid(2)):
/// the kernel then also withholds the capabilities that override permissions (capabilities(7)).
package enum FileSystemIdentity {
    /// The user that owns nothing.
    package static let nobody: UInt32 = 65534

    /// Runs `body` as nobody.
    ///
    /// - Returns: nil when this process may not change its identity.
    package static func asNobody<Result>(_ body: () throws -> Result) rethrows -> Result? {
        guard geteuid() == 0, let setUser = function("setfsuid"), let setGroup = function("setfsgid") else {
            return nil
        }
        _ = setGroup(nobody)
        _ = setUser(nobody)
        defer {
            _ = setUser(0)
            _ = setGroup(0)
        }
        // The call tells the identity before it; one more shows that it was taken.
        guard setUser(nobody) == Int32(bitPattern: nobody) else { return nil }
        return try body()
    }

    /// Glibc's module lacks sys/fsuid.h.
    private static func function(_ name: String) -> (@convention(c) (UInt32) -> Int32)? {
        dlsym(nil, name).map { unsafeBitCast($0, to: (@convention(c) (UInt32) -> Int32).self) }
    }
}
