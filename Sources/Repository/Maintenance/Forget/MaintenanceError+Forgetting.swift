package import RepositoryFormat

extension MaintenanceError {
    /// Somebody asked to forget what is pinned.
    package static func pinned(_ id: ObjectID) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The snapshot \(id.short) is pinned, so it is not forgotten; 'stillpoint unpin \(id.short)' allows it.")
    }

    /// Something to forget is not what it was when that was decided.
    package static func snapshotChanged(_ id: ObjectID) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "The snapshot \(id.short) is no longer what the plan was made for, so it stays; run the command again.")
    }

    /// The plan that was confirmed is not the one that is due now.
    package static func planChanged(added: Int) -> MaintenanceError {
        MaintenanceError(
            code: .refused,
            message:
                "While the question was open the repository changed, and \(added) more snapshots would go; nothing was "
                + "removed, run the command again.")
    }
}
