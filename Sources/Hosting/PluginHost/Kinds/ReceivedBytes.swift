import Glibc

/// The bytes of one object as they come in: no byte is copied a second time when the size is known beforehand.
struct ReceivedBytes {
    /// How much is read at once at least.
    private static let step = 256 << 10
    /// More is not set aside before the first byte came.
    private static let largestReservation = 256 << 20

    /// What arrived.
    private(set) var bytes: [UInt8] = []
    /// At most so many bytes are taken.
    let maximumByteCount: Int
    /// More arrived than ``maximumByteCount``.
    private(set) var isOverfull = false
    /// The last read(2) found neither bytes nor a writer.
    private(set) var isAtEnd = false

    /// - Parameters:
    ///   - expected: the size when it is known.
    ///   - maximum: the most that is taken when it is not.
    init(expected: Int?, maximum: Int) {
        maximumByteCount = expected ?? maximum
        if let expected { bytes.reserveCapacity(min(expected, Self.largestReservation)) }
    }

    /// Reads from a non-blocking descriptor until nothing is there, or `budget` bytes were read.
    ///
    /// - Returns: how many bytes came.
    mutating func read(_ descriptor: Int32, budget: Int = 8 << 20) -> Int {
        var total = 0
        while total < budget, !isOverfull {
            let count = readOnce(descriptor)
            guard count > 0 else { break }
            total += count
        }
        return total
    }

    private mutating func readOnce(_ descriptor: Int32) -> Int {
        let room = maximumByteCount - bytes.count
        guard room > 0 else {
            var surplus: UInt8 = 0
            let count = Glibc.read(descriptor, &surplus, 1)
            isOverfull = count > 0
            isAtEnd = count == 0
            return max(0, count)
        }
        if bytes.capacity - bytes.count < min(room, Self.step) {
            // Doubled by hand: reserveCapacity alone would grow step by step and copy each time.
            bytes.reserveCapacity(min(maximumByteCount, max(2 * bytes.capacity, 2 * Self.step)))
        }
        let wanted = min(room, bytes.capacity - bytes.count)
        let before = bytes.count
        var isAtEnd = false
        bytes.append(addingCapacity: wanted) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
                isAtEnd = count == 0
            }
        }
        self.isAtEnd = isAtEnd
        return bytes.count - before
    }
}
