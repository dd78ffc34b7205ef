/// Cuts a stream of bytes into lines that end with LF, with a hard cap on their length; pure, no I/O.
///
/// A CR before the LF is dropped, blank lines are skipped. At most one line and what was appended last is kept.
package struct LineAssembler: Sendable {
    /// What the stream contained next.
    package enum Line: Sendable, Equatable {
        /// A line without its LF, never empty.
        case complete([UInt8])
        /// A line that passed the cap. Told once, as soon as it is known; the rest up to the next LF is dropped.
        case overlong
    }

    /// The longest line, in bytes, without LF.
    package let maximumByteCount: Int
    private var buffer: [UInt8] = []
    private var lineStart = 0
    private var scanned = 0
    private var isSkipping = false

    /// - Parameter maximumByteCount: the longest line, in bytes, without LF.
    package init(maximumByteCount: Int) { self.maximumByteCount = maximumByteCount }

    /// Adds bytes as they came; call ``next()`` until it returns nil before adding more.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if lineStart > 0 {
            buffer.removeFirst(lineStart)
            scanned -= lineStart
            lineStart = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Adds bytes as they came.
    package mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// The next line, or nil when more bytes are needed.
    package mutating func next() -> Line? {
        while true {
            guard let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) else {
                scanned = buffer.count
                if isSkipping {
                    lineStart = scanned
                    return nil
                }
                // One byte more than the cap may still be the CR before the LF.
                let excess = scanned - lineStart - maximumByteCount
                guard excess > 1 || (excess == 1 && buffer.last != UInt8(ascii: "\r")) else { return nil }
                lineStart = scanned
                isSkipping = true
                return .overlong
            }
            var line = buffer[lineStart..<end]
            lineStart = end + 1
            scanned = lineStart
            if isSkipping {
                isSkipping = false
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty { continue }
            return line.count > maximumByteCount ? .overlong : .complete(Array(line))
        }
    }

    /// What came after the last LF; at the end of the stream that is a line which was cut off.
    package var remainder: [UInt8] { isSkipping ? [] : Array(buffer[lineStart...]) }
}
