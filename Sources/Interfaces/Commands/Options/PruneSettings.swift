import ArgumentParser
import Maintenance

/// How far pruning goes, as options.
struct PruneSettings: ParsableArguments {
    @Option(
        name: .customLong("max-unused"),
        help: ArgumentHelp("What may stay although nobody needs it: n%, a size, or 'unlimited'.", valueName: "limit"))
    var maximumUnused = "5%"

    @Option(
        name: .customLong("max-repack-size"),
        help: ArgumentHelp("Write at most packs of this size anew, e.g. 2G.", valueName: "size"))
    var maximumRepack: String?

    @Flag(name: .customLong("repack-small"), help: "Join all packs below 80 % of the usual size, however few.")
    var repackSmall = false

    @Option(
        name: .customLong("repack-smaller-than"),
        help: ArgumentHelp("Take packs below this size for small.", valueName: "size"))
    var smallerThan: String?

    @Flag(name: .customLong("repack-cacheable-only"), help: "Write only packs of trees anew, none of data.")
    var treesOnly = false

    /// - Throws: `ValidationError` for a value that is none.
    func options() throws -> PruneOptions {
        var options = PruneOptions()
        options.maximumUnused = try limit(maximumUnused)
        if let maximumRepack { options.maximumRepackByteCount = try size(maximumRepack, "--max-repack-size") }
        options.repackSmall = repackSmall
        options.smallPackByteCount = try smallerThan.map { try size($0, "--repack-smaller-than") }
        options.repackTreesOnly = treesOnly
        return options
    }

    private func limit(_ text: String) throws -> PruneOptions.MaximumUnused {
        if text == "unlimited" { return .unlimited }
        guard text.hasSuffix("%") else { return .bytes(try size(text, "--max-unused")) }
        guard let percent = Double(text.dropLast()), percent >= 0, percent < 100 else {
            throw ValidationError("'--max-unused \(text)' is no percentage from 0 % to below 100 %.")
        }
        return .percent(percent)
    }

    private func size(_ text: String, _ option: String) throws -> UInt64 {
        guard let count = ByteCountText.parse(text) else {
            throw ValidationError("'\(option) \(text)' is no size; write a number and K, M, G or T, e.g. 512M.")
        }
        return count
    }
}
