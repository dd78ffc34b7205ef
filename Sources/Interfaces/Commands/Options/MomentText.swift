import Glibc
import RepositoryFormat
import SnapshotModel

/// Moments as people write them: `2026-01-31`, `2026-01-31 12:00`, `2026-01-31T12:00:05+01:00`, or an age: `7d`.
///
/// Without an offset the clock on the wall of this machine is meant.
enum MomentText {
    /// - Parameter isEnd: a day without a time means its last moment, and not its first.
    /// - Returns: nil for anything else.
    static func parse(_ text: String, isEnd: Bool, now: Timestamp) -> Timestamp? {
        if let age = DurationText.parse(text) {
            return Timestamp(
                milliseconds: now.milliseconds.subtractingReportingOverflow(age.wholeMilliseconds).partialValue)
        }
        var text = text
        if let space = text.firstIndex(of: " ") { text.replaceSubrange(space...space, with: "T") }
        let isDay = text.utf8.count == 10
        if isDay { text += isEnd ? "T23:59:59.999999999" : "T00:00:00" }
        guard let start = text.firstIndex(of: "T") else { return nil }
        let time = text[text.index(after: start)...]
        let hasOffset = time.contains { "Z+-".contains($0) }
        // Seconds may be left out.
        let clock = time.prefix { !"Z+-".contains($0) }
        if clock.utf8.count == 5 { text = text[...start] + clock + ":00" + time[clock.endIndex...] }
        guard var moment = Timestamp(text: hasOffset ? text : text + "Z") else { return nil }
        if !hasOffset, let offset = localOffset(moment.seconds) { moment.seconds -= offset }
        return moment
    }

    /// Seconds east of UTC that the wall clock has when it shows what `seconds` is in UTC.
    private static func localOffset(_ seconds: Int64) -> Int64? {
        var shown = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&shown, &parts) != nil else { return nil }
        parts.tm_isdst = -1
        let moment = mktime(&parts)
        return Int64(shown - moment)
    }
}
