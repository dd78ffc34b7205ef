import ObjectStorage
package import Repository
package import RepositoryFormat
package import Threads

/// Replaces snapshots that need something lost by snapshots that do not.
///
/// The repository must be locked exclusively; its index must not be loaded. What is lost is what the index and the packs
/// in the store lack; whether packs are intact, 'check --read-data' and 'repair packs' have to say before. New trees are
/// stored before the snapshots that need them, new snapshots before old ones are removed.
package struct SnapshotRepair: Sendable {
    /// What an entry loses.
    package enum Loss: Sendable, Hashable {
        /// Some parts of a file: it keeps `byteCount` bytes.
        case content(lostParts: Int, parts: Int, byteCount: UInt64, of: UInt64)
        /// Everything in a directory; it stays, empty.
        case directory
        /// An entry of a type that nobody can restore is left out.
        case entry(kind: String)
        /// Nothing: only the size that the entry tells is put right.
        case wrongSize(byteCount: UInt64, of: UInt64)

        /// Whether the name of the entry says from now on that it is not whole.
        var marksName: Bool {
            switch self {
            case .content, .directory: true
            case .entry, .wrongSize: false
            }
        }

        /// True when data is lost.
        package var isLoss: Bool { if case .wrongSize = self { false } else { true } }
    }

    /// A changed entry.
    package struct Change: Sendable, Hashable {
        /// The bytes of the path within the snapshot, without a slash in front.
        package var path: [UInt8]
        package var loss: Loss
        /// The last component of the path from now on; nil when it stays.
        package var newName: [UInt8]?
    }

    /// What is to be done with one snapshot.
    package struct Repair: Sendable {
        package let snapshot: OpenRepository.Snapshot
        package let changes: [Change]
        /// Nil when nothing of the snapshot can be read: there is no new one.
        package let tree: ObjectID?
    }

    /// What is to be done.
    package struct Plan: Sendable {
        /// Snapshots that need something lost, oldest first; the others are left alone.
        package var repairs: [Repair] = []
        /// How many were looked at.
        package var snapshotCount = 0
        /// Snapshots whose own objects cannot be read, and why.
        package var unreadable: [(id: ObjectID, reason: String)] = []
        /// Those of them that were named, which 'forget' removes.
        package var unreadableNamed: [ObjectID] = []
    }

    /// What was done with one snapshot.
    package struct Done: Sendable {
        package let old: ObjectID
        /// Nil when only the old one was removed.
        package let new: ObjectID?
    }

    /// The tag of repaired snapshots; restic's.
    package static let tag = "repaired"

    private let repository: OpenRepository
    private let cancellation: Cancellation
    private let progress: @Sendable (_ done: Int, _ total: Int) -> Void

    /// - Parameter progress: told of each snapshot that was looked at.
    package init(
        _ repository: OpenRepository, cancellation: Cancellation,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) {
        self.repository = repository
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Looks at snapshots; changes nothing.
    ///
    /// - Parameter names: ids or their first digits; all snapshots when empty.
    /// - Throws: ``MaintenanceError/Code/refused`` when an index cannot be read: what it names would count as lost.
    package func plan(_ names: [String]) throws -> Plan {
        var plan = Plan()
        let all = try repository.snapshots(cancellation: cancellation) { id, error in
            guard BlobLoader.isDamage(error) || error is FormatError else { throw error }
            plan.unreadable.append((id, RepositoryCheck.clause(error)))
        }
        var chosen = names.isEmpty ? all : []
        for name in names {
            let broken = plan.unreadable.map(\.id).filter { $0.hexadecimal.hasPrefix(name.lowercased()) }
            if broken.count == 1, !name.isEmpty {
                plan.unreadableNamed += broken
            } else {
                let snapshot = try all.named(name)
                if !chosen.contains(snapshot) { chosen.append(snapshot) }
            }
        }
        try loadIndex()
        let trees = try TreeRepair(repository, cancellation: cancellation) { ObjectID(hashing: $0) }
        for snapshot in chosen {
            let outcome = try trees.repair(snapshot.record.tree)
            plan.snapshotCount += 1
            if outcome == nil || outcome?.id != snapshot.record.tree {
                plan.repairs.append(
                    Repair(snapshot: snapshot, changes: outcome?.changes ?? [], tree: outcome?.id))
            }
            progress(plan.snapshotCount, chosen.count)
        }
        return plan
    }

    /// Loads what the index says of packs that are there, as far as they reach.
    private func loadIndex() throws {
        var stored: [ObjectID: Int64] = [:]
        for object in try repository.store.list(prefix: ObjectKind.pack.prefix) {
            if let id = ObjectKind.pack.id(of: object.key) { stored[id] = object.size }
        }
        let (index, sizes) = (repository.index, stored)
        let survey = try IndexSurvey(repository, cancellation: cancellation) { pack, blobs in
            guard let size = sizes[pack] else { return }
            index.insert(pack: pack, blobs: blobs.filter { Int64($0.offset) + Int64($0.length) <= size })
        }
        if let (id, _) = survey.unreadable.first { throw MaintenanceError.repairIndexFirst(id) }
    }

    /// Carries out a plan of the same repair.
    ///
    /// - Parameter forgets: remove the snapshots that were replaced, those of which nothing can be read, and those whose
    ///   own objects cannot be read and that were named.
    package func execute(_ plan: Plan, forgets: Bool, programVersion: String) throws -> [Done] {
        let saver = try BlobSaver(repository, cancellation: cancellation)
        do {
            let worker = try BlobSaver.Worker(saver)
            let trees = try TreeRepair(repository, cancellation: cancellation) { try worker.save($0, .tree).id }
            for repair in plan.repairs {
                guard let outcome = try trees.repair(repair.snapshot.record.tree) else { continue }
                guard outcome.id == repair.tree else { throw MaintenanceError.changedMeanwhile(repair.snapshot.id) }
            }
        } catch {
            // The failure that led here is the one to tell.
            try? saver.finish(discarding: true)
            throw error
        }
        try saver.finish()
        var done: [Done] = []
        for repair in plan.repairs {
            try cancellation.check()
            var new: ObjectID?
            if let tree = repair.tree {
                var record = repair.snapshot.record
                record.tree = tree
                record.original = repair.snapshot.id
                record.programVersion = programVersion
                if !record.tags.contains(Self.tag) { record.tags.append(Self.tag) }
                new = try repository.save(record)
            }
            if forgets { try repository.store.delete(ObjectKind.snapshot.key(repair.snapshot.id)) }
            if new != nil || forgets { done.append(Done(old: repair.snapshot.id, new: new)) }
        }
        if forgets {
            for id in plan.unreadableNamed {
                try repository.store.delete(ObjectKind.snapshot.key(id))
                done.append(Done(old: id, new: nil))
            }
        }
        return done
    }

    /// `name.damaged`, cut to what file systems take (255 bytes), with a number when there is one already.
    static func markedName(_ name: [UInt8], notIn names: Set<[UInt8]>) -> [UInt8] {
        var suffix = Array(".damaged".utf8)
        var number = 1
        while true {
            let marked = name.prefix(255 - suffix.count) + suffix
            if !names.contains(Array(marked)) { return Array(marked) }
            number += 1
            suffix = Array(".damaged-\(number)".utf8)
        }
    }
}
