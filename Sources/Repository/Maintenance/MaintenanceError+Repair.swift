import RepositoryFormat

extension MaintenanceError {
    static func repairIndexFirst(_ index: ObjectID) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The index \(index.hexadecimal) cannot be read, so that packs may be unknown; run 'stillpoint repair "
                + "index' first.")
    }

    static func noNamedPack(_ name: String) -> MaintenanceError {
        MaintenanceError(
            code: .notFound, message: "No pack is named '\(name)'; 'stillpoint check' names those that are damaged.")
    }

    static func ambiguousPack(_ name: String, _ count: Int) -> MaintenanceError {
        MaintenanceError(code: .notFound, message: "'\(name)' fits \(count) packs; give more digits.")
    }

    static func notSaved(_ blob: ObjectID) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message: "The blob \(blob.hexadecimal) could be read before and cannot now; nothing was removed, try again."
        )
    }

    static func changedMeanwhile(_ snapshot: ObjectID) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message: "What can be read of snapshot \(snapshot.short) changed while it was repaired; no snapshot was "
                + "changed, try again.")
    }
}
