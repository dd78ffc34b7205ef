package import RepositoryFormat

extension RepositoryCheck.Result {
    /// Packs that 'repair packs' can make good, by their ids: damaged, cut or missing ones.
    package var brokenPacks: [ObjectID] {
        let kinds: Set<RepositoryCheck.Finding.Kind> = [.damagedPack, .missingPack, .wrongPackSize]
        return Set(findings.filter { kinds.contains($0.kind) }.compactMap(\.object)).sorted()
    }

    /// The commands that make the repository good again, in the order in which they are to be run; empty when it is.
    package var advice: [String] {
        guard !isClean else { return [] }
        let kinds = Set(findings.map(\.kind))
        var commands: [String] = []
        if !brokenPacks.isEmpty {
            commands.append("stillpoint repair packs " + brokenPacks.map(\.hexadecimal).joined(separator: " "))
        }
        let isIndexWrong = !kinds.isDisjoint(with: [.unreadableIndex, .wrongIndex])
        let isSomethingMissing = !kinds.isDisjoint(with: [.missingBlob, .damagedTree])
        if isIndexWrong || isSomethingMissing && kinds.contains(.unreferencedPacks) {
            commands.append("stillpoint repair index")
        }
        let snapshots = findings.filter { $0.kind == .unreadableSnapshot }.compactMap(\.object).map(\.hexadecimal)
        if !snapshots.isEmpty {
            commands.append("stillpoint repair snapshots --forget " + snapshots.joined(separator: " "))
        }
        if findings.contains(where: { $0.isError && !$0.concern.paths.isEmpty }) {
            commands.append("stillpoint repair snapshots --forget")
        }
        return commands
    }
}
