import Glibc
import JSONRPC

/// Turns a plugin's standard error into lines that can be logged: capped, masked, printable, and not too many.
///
/// Source: protocol, host rules, 13.
package struct StandardErrorLines {
    /// Time that also passes while the machine sleeps.
    package typealias Instant = ContinuousClock.Instant

    /// The longest line, in bytes; the rest of it is dropped and counted.
    package static let maximumByteCount = 8192
    /// This many lines…
    package static let linesPerWindow = 1000
    /// …within this time are passed on, the others are counted.
    package static let window: Duration = .seconds(10)
    /// How many lines are kept for error reports.
    package static let kept = 20

    private struct RawLine {
        var bytes: [UInt8]
        var dropped: Int
    }

    private let mask: SecretMask
    private var partial = RawLine(bytes: [], dropped: 0)
    private var recent: [RawLine] = []
    private var windowStart: Instant?
    private var linesInWindow = 0
    private var suppressed = 0

    /// - Parameter mask: what must not be shown; secrets may be added to it later.
    package init(mask: SecretMask) { self.mask = mask }

    /// Takes bytes as they came; `emit` is called for each line to pass on.
    package mutating func append(_ bytes: UnsafeRawBufferPointer, now: Instant, emit: (String) -> Void) {
        guard let base = bytes.baseAddress else { return }
        var start = 0
        while let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start) {
            let end = UnsafeRawPointer(found) - base
            keep(UnsafeRawBufferPointer(start: base + start, count: end - start))
            finishLine(now, emit)
            start = end + 1
        }
        keep(UnsafeRawBufferPointer(start: base + start, count: bytes.count - start))
    }

    /// The end of the stream: passes on what has no line feed and how much was left out.
    package mutating func finish(now: Instant, emit: (String) -> Void) {
        if !partial.bytes.isEmpty { finishLine(now, emit) }
        reportSuppressed(emit)
    }

    /// The last lines, oldest first.
    package var lastLines: [String] {
        let lines = partial.bytes.isEmpty ? recent : Array((recent + [partial]).suffix(Self.kept))
        return lines.map(text)
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        // A secret that crosses the cap must be seen whole to be masked, so a little more than the cap is kept.
        let room = max(0, Self.maximumByteCount + mask.longestByteCount - partial.bytes.count)
        let kept = min(room, bytes.count)
        partial.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<kept]))
        partial.dropped += bytes.count - kept
    }

    private mutating func finishLine(_ now: Instant, _ emit: (String) -> Void) {
        defer { partial = RawLine(bytes: [], dropped: 0) }
        if partial.bytes.last == UInt8(ascii: "\r") { partial.bytes.removeLast() }
        guard !partial.bytes.isEmpty else { return }
        if recent.count >= Self.kept { recent.removeFirst() }
        recent.append(partial)
        if windowStart.map({ now - $0 >= Self.window }) ?? true {
            reportSuppressed(emit)
            windowStart = now
            linesInWindow = 0
        }
        linesInWindow += 1
        if linesInWindow <= Self.linesPerWindow { emit(text(partial)) } else { suppressed += 1 }
    }

    private mutating func reportSuppressed(_ emit: (String) -> Void) {
        if suppressed > 0 { emit("(\(suppressed) more lines on standard error were left out)") }
        suppressed = 0
    }

    private func text(_ line: RawLine) -> String {
        let masked = mask.masked(line.bytes)
        let cut = masked.prefix(Self.maximumByteCount)
        let text = PlainText.oneLine(cut, maximumByteCount: 4 * Self.maximumByteCount)
        let dropped = line.dropped + masked.count - cut.count
        return dropped > 0 ? "\(text) (\(dropped) more bytes)" : text
    }
}
