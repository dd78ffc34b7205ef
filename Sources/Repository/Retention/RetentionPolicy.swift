/// How many snapshots to keep: one for each of the latest hours, days and so on.
///
/// A count of nil is a rule that is not set. -1 keeps all, as restic's `--keep-*` options do.
package struct RetentionPolicy: Sendable, Hashable {
    /// The latest snapshots, whatever their times.
    package var last: Int?
    /// The last snapshot of each of the latest hours that have one; days, weeks (ISO 8601), months and years likewise.
    package var hourly: Int?
    package var daily: Int?
    package var weekly: Int?
    package var monthly: Int?
    package var yearly: Int?

    package init() {}
}
