/// Whether a snapshot holds the whole instance or one application.
package enum SnapshotKind: String, Sendable, Hashable, CaseIterable {
    /// Console state and every application: for disaster recovery.
    case full
    /// One application, no console state: for rolling back.
    case partial
}

/// What a run does. The raw value stands in journals and the catalog.
package enum RunKind: String, Sendable, Hashable, CaseIterable {
    /// Takes a snapshot of the instance.
    case fullSnapshot = "full-snapshot"
    /// Takes a snapshot of one application.
    case partialSnapshot = "partial-snapshot"
    /// Puts data back.
    case restore
    /// Restores into a scratch place and proves the result.
    case rehearsal
    /// Verifies the repository.
    case check
    /// Removes what no snapshot needs.
    case prune

    /// The kind of snapshot that a run of this kind makes; nil when it makes none.
    package var snapshotKind: SnapshotKind? {
        switch self {
        case .fullSnapshot: .full
        case .partialSnapshot: .partial
        default: nil
        }
    }

    /// The run that makes a snapshot of this kind.
    package init(snapshot kind: SnapshotKind) {
        self = kind == .full ? .fullSnapshot : .partialSnapshot
    }
}

/// Who started a run.
package enum Trigger: String, Sendable, Hashable, CaseIterable {
    /// A person or a script.
    case manual
    /// The scheduler.
    case schedule
}
