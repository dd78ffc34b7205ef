import RepositoryFormat

extension MaintenanceError.Code {
    /// Something that pruning or copying has to read cannot be read, or is missing.
    package static let damaged = MaintenanceError.Code.make("damaged")
}

extension MaintenanceError {
    private static func damaged(_ message: String, cause: (any Error)? = nil) -> MaintenanceError {
        MaintenanceError(code: .damaged, message: message, cause: cause)
    }

    /// The description of a cause as a part of a sentence.
    private static func clause(_ cause: any Error) -> String {
        var text = "\(cause)"
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    static func damagedIndex(_ id: ObjectID, cause: any Error) -> MaintenanceError {
        damaged(
            "The index \(id.hexadecimal) cannot be read, and nothing was changed: \(clause(cause)); "
                + "'stillpoint repair index' makes a new one from the packs.", cause: cause)
    }
    static func unreadableSnapshot(_ id: ObjectID, cause: any Error) -> MaintenanceError {
        damaged(
            "The snapshot \(id.hexadecimal) cannot be read, so that what it needs is not known, and nothing was "
                + "changed: \(clause(cause)); forget the snapshot, or bring its object back.", cause: cause)
    }
    static func unreadableTree(_ id: ObjectID, snapshot: ObjectID, cause: any Error) -> MaintenanceError {
        damaged(
            "The tree \(id.hexadecimal) of snapshot \(snapshot.short) cannot be read, so that what it needs is not "
                + "known, and nothing was changed: \(clause(cause)); 'stillpoint check' shows the extent, "
                + "'stillpoint repair snapshots' writes the snapshots anew without it.", cause: cause)
    }
    static func missingBlob(
        _ id: ObjectID, _ kind: BlobKind, tree: ObjectID?, snapshot: ObjectID
    ) -> MaintenanceError {
        let place =
            tree.map { "The tree \($0.hexadecimal) of snapshot \(snapshot.short)" } ?? "Snapshot \(snapshot.short)"
        return damaged(
            "\(place) needs the \(kind.name) blob \(id.hexadecimal), which is in no index, and nothing was changed; "
                + "run 'stillpoint repair index', and 'stillpoint check' if that does not help.")
    }
    static func missingPack(_ id: ObjectID, example: ObjectID, _ kind: BlobKind) -> MaintenanceError {
        damaged(
            "The pack \(id.hexadecimal) is in an index and not in the store, and a snapshot needs its blob "
                + "\(example.hexadecimal) (\(kind.name)); nothing was changed. Bring the pack back, or run "
                + "'stillpoint repair index' and 'stillpoint repair snapshots'.")
    }
    static func partialListing(_ what: String) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The store does not list the \(what), which is there: its lists are incomplete, and what is garbage "
                + "cannot be told from them. Nothing was changed; the storage plugin or the service behind it is at fault."
        )
    }
    static func noPackAtAll(indexed: Int) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The store lists no pack at all, although the indexes name \(indexed): nothing was changed. Look whether "
                + "everything of the repository is mounted and whole."
        )
    }
    static func wrongPackSize(_ id: ObjectID, found: Int64, expected: UInt64) -> MaintenanceError {
        damaged(
            "The pack \(id.hexadecimal) has \(found) bytes, its index says \(expected), and a snapshot needs its blobs; "
                + "nothing was changed. Run 'stillpoint repair index'.")
    }
    static func damagedBlob(
        _ id: ObjectID, _ kind: BlobKind, pack: ObjectID, cause: any Error
    ) -> MaintenanceError {
        damaged(
            "The \(kind.name) blob \(id.hexadecimal) in pack \(pack.hexadecimal) cannot be read, and nothing was removed "
                + "that any snapshot needs: \(clause(cause)); run 'stillpoint repair packs \(pack.short)'.",
            cause: cause)
    }
    static func notStored(_ what: String) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message: "The store took the \(what) and does not have it; nothing was removed that any snapshot needs. "
                + "The storage plugin or the service behind it is at fault.")
    }
    static func lostBlob(_ id: ObjectID, _ kind: BlobKind) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The \(kind.name) blob \(id.hexadecimal) would be in no pack any more; nothing was removed that any "
                + "snapshot needs. This is a mistake of this program; please report it.")
    }
}
