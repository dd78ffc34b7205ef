/// How hard to look for matches: parameters of libzstd's fastest strategy.
package struct CompressionEffort: Sendable, Hashable {
    /// log2 of the places that are remembered; 0 for what the level says.
    let hashLog: Int32
    /// The shortest match in bytes, 4 to 7; 0 for what the level says.
    let minimumMatch: Int32

    /// What the level says.
    package static let standard = CompressionEffort(hashLog: 0, minimumMatch: 0)

    /// The parameters for a blob of more than 256 KiB.
    ///
    /// What compresses well needs few places to find its long matches; what compresses badly gains by shorter ones. The
    /// bounds are where, over 420 MB of chunks of binaries, libraries, headers and texts, 5.6 % less time costs 0.2 % more
    /// bytes than level 2 for all (docs/decisions/0036-effort-by-sample.md).
    ///
    /// - Parameter sampledPercent: to what samples of it shrink, 0 to 100.
    package static func large(sampledPercent: Int) -> CompressionEffort {
        switch sampledPercent {
        case ..<26: CompressionEffort(hashLog: 14, minimumMatch: 6)
        case ..<44: CompressionEffort(hashLog: 15, minimumMatch: 6)
        case ..<49: CompressionEffort(hashLog: 16, minimumMatch: 6)
        case ..<61: CompressionEffort(hashLog: 15, minimumMatch: 5)
        default: CompressionEffort(hashLog: 16, minimumMatch: 5)
        }
    }
}
