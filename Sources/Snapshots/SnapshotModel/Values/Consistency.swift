/// How much the captured data of an application can be trusted to fit together.
package enum Consistency: String, Sendable, Hashable, CaseIterable, Comparable {
    /// All hooks held while the data was captured.
    case application
    /// The data was captured without a held quiesce, as after a power cut.
    case crash
    /// Something was skipped.
    case partial

    /// The better before the worse, so that the maximum of several is what holds for all of them.
    package static func < (left: Consistency, right: Consistency) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .application: 0
        case .crash: 1
        case .partial: 2
        }
    }
}
