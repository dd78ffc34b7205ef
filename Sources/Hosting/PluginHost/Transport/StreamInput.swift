import CLinux
import Glibc

/// The host's end of a FIFO that a plugin writes.
///
/// Opened before the request is sent and without waiting for the plugin, so neither side ever waits for the other in
/// open(2). End-of-file alone says nothing: a writer may not have come yet, or another may follow. Source: protocol,
/// Moving bulk bytes; fifo(7), poll(2).
struct StreamInput {
    /// What pipes hold at most without privileges. Source: pipe(7), /proc/sys/fs/pipe-max-size.
    private static let pipeByteCount: Int32 = 1 << 20
    /// How soon a writer that comes after the last one went is noticed: poll(2) is silent about it.
    private static let afterHangUp: Duration = .milliseconds(10)

    let path: String
    private let descriptor: OwnedDescriptor
    private var isHungUp = false

    /// Makes the FIFO (0600) and opens it.
    ///
    /// - Throws: ``SystemCallFailure``.
    init(_ path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw SystemCallFailure.last("mkfifo \(path)") }
        do {
            descriptor = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | CLINUX_O_NOFOLLOW)
        } catch {
            unlink(path)
            throw error
        }
        // A smaller pipe is slower, no more.
        _ = clinux_set_pipe_size(descriptor.number, Self.pipeByteCount)
    }

    /// The number to read(2) from, without waiting.
    var number: Int32 { descriptor.number }

    /// Waits for bytes or for `wake`, at most `limit`.
    ///
    /// - Returns: whether there may be bytes to read.
    mutating func wait(_ limit: Duration, wake: EventDescriptor) -> Bool {
        let limit = isHungUp ? min(limit, Self.afterHangUp) : limit
        var descriptors = [
            pollfd(fd: isHungUp ? -1 : number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, 2, PollTimeout.milliseconds(limit))
        if descriptors[1].revents != 0 { wake.lower() }
        if isHungUp { return true }
        isHungUp = descriptors[0].revents & Int16(POLLHUP) != 0 && descriptors[0].revents & Int16(POLLIN) == 0
        return descriptors[0].revents & Int16(POLLIN) != 0
    }

    /// A writer is there again.
    mutating func noteBytes() { isHungUp = false }

    /// Closes the FIFO and removes what is at its path.
    func remove() {
        descriptor.close()
        unlink(path)
    }
}
