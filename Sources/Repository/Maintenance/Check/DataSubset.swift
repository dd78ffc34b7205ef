package import RepositoryFormat

/// Which packs a check reads: the forms of restic's `--read-data-subset`.
package enum DataSubset: Sendable, Hashable {
    /// No pack: the structure only.
    case none
    /// Every pack.
    case all
    /// Group `number` of `groups`: packs whose first byte modulo `groups` is `number - 1`, so that all groups one after
    /// the other are all packs. 1 <= number <= groups <= 256.
    case group(Int, of: Int)
    /// A random choice of this part of the packs in percent, above 0 and at most 100.
    case percent(Double)
    /// A random choice of packs that makes up about as many bytes.
    case byteCount(Int64)

    /// The subset that a person means: `n/t`, `x%`, or a size with a suffix of K, M, G, T (powers of 1024).
    ///
    /// - Returns: nil for a text that is none of these, or whose numbers are out of range.
    package init?(text: String) {
        if text.contains("/") {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { UInt16($0) }
            guard parts.count == 2, let number = parts[0], let groups = parts[1], number >= 1, number <= groups,
                groups <= 256
            else { return nil }
            self = .group(Int(number), of: Int(groups))
        } else if text.hasSuffix("%") {
            guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { return nil }
            self = .percent(percent)
        } else {
            let units: [Character: Int64] = ["b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40]
            let unit = text.last.flatMap { units[Character($0.lowercased())] }
            guard let number = Int64(unit == nil ? text : String(text.dropLast())), number > 0 else { return nil }
            let (size, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
            guard !overflow else { return nil }
            self = .byteCount(size)
        }
    }

    /// The packs to read, in the order of their ids.
    ///
    /// - Parameters:
    ///   - packs: all packs with their sizes.
    ///   - generator: chooses; the same numbers choose the same packs.
    package func select(
        from packs: [ObjectID: Int64], using generator: inout some RandomNumberGenerator
    ) -> [ObjectID] {
        let ids = packs.keys.sorted()
        switch self {
        case .none: return []
        case .all: return ids
        case .group(let number, let groups):
            return ids.filter { Int(UInt8(truncatingIfNeeded: $0.words.0)) % groups == number - 1 }
        case .percent(let percent): return Self.choose(percent, of: ids, &generator)
        case .byteCount(let wanted):
            let total = packs.values.reduce(Int64(0)) { $0.addingReportingOverflow(max(0, $1)).partialValue }
            guard total > 0 else { return ids }
            return Self.choose(Double(min(wanted, total)) / Double(total) * 100, of: ids, &generator)
        }
    }

    /// At least one pack, when there is one.
    private static func choose(
        _ percent: Double, of ids: [ObjectID], _ generator: inout some RandomNumberGenerator
    ) -> [ObjectID] {
        let count = max(1, Int(Double(ids.count) * (percent / 100)))
        return ids.shuffled(using: &generator).prefix(count).sorted()
    }
}
