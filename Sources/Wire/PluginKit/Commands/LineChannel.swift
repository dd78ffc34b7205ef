import Glibc

/// The reading end of a pipe whose bytes are lines for people.
struct LineChannel {
    /// -1 once closed.
    private(set) var descriptor: Int32
    private var lines = OutputLines()

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Reads once, after poll(2) said that there is something, and closes at the end.
    mutating func read() -> [String] {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 { return lines.append(buffer[..<count]) }
        if count == 0 || (errno != EAGAIN && errno != EINTR) { close() }
        return []
    }

    mutating func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Closes and gives what came after the last line feed.
    mutating func finish() -> [String] {
        close()
        return lines.finish().map { [$0] } ?? []
    }
}
