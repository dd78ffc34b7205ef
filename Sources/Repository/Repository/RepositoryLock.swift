import Glibc
import ObjectStorage
import RepositoryCrypto
package import RepositoryFormat
import Synchronization
package import Threads

/// A lock in the repository, refreshed by a thread of its own until it is released.
///
/// The rules are restic's (design, "Locks"): an exclusive lock tolerates no other; locks older than 30 minutes are
/// stale. A lock of this machine is called dead only when boot id, process id and start time prove it, or, for locks
/// that carry no such facts, when no process has its id.
package final class RepositoryLock: Sendable {
    /// How often the lock is replaced by a younger one; restic's interval.
    package static let refreshInterval = Duration.seconds(5 * 60)
    /// Age at which a lock of somebody else no longer counts.
    package static let staleAfterSeconds: Int64 = 30 * 60
    /// After writing a lock, others get this long to see it; restic's delay.
    private static let settleTime = Duration.milliseconds(200)

    private let repository: OpenRepository
    private let exclusive: Bool
    private let identity: Identity
    private let clock: @Sendable () -> Timestamp
    private let current: Condition<(id: ObjectID?, isReleased: Bool)>
    private let refresher = Mutex<WorkerThread?>(nil)

    /// Takes a lock.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for others to release theirs; zero fails at once.
    ///   - refreshInterval: how long a lock object stands before a younger one replaces it.
    ///   - removed: told of each dead lock that was removed, with the proof.
    /// - Throws: ``RepositoryError/Code/locked``; errors of the store.
    package init(
        _ repository: OpenRepository, exclusive: Bool, identity: Identity, clock: @escaping @Sendable () -> Timestamp,
        patience: Duration = .zero, refreshInterval: Duration = RepositoryLock.refreshInterval,
        cancellation: Cancellation, removed: (LockDocument, String) -> Void = { _, _ in }
    ) throws {
        self.repository = repository
        self.exclusive = exclusive
        self.identity = identity
        self.clock = clock
        current = Condition((nil, false))
        let deadline = ContinuousClock.now.advanced(by: patience)
        while true {
            do {
                try Self.checkOthers(repository, exclusive: exclusive, own: nil, now: clock(), identity, removed)
                let id = try writeLock()
                current.withLock { $0.id = id }
                // Whoever wrote a lock at the same moment sees ours now, and we theirs.
                _ = current.wait(timeout: Self.settleTime) { $0.isReleased ? () : nil }
                do {
                    try Self.checkOthers(repository, exclusive: exclusive, own: id, now: clock(), identity, removed)
                } catch {
                    try repository.store.delete(ObjectKind.lock.key(id))
                    throw error
                }
                break
            } catch let error as RepositoryError where error.code == .locked && ContinuousClock.now < deadline {
                try cancellation.check()
                _ = current.wait(timeout: .milliseconds(500)) { $0.isReleased ? () : nil }
            }
        }
        let thread = WorkerThread(name: "lock-refresh") { [weak self] in
            while let state = self?.current {
                if state.wait(timeout: refreshInterval, { $0.isReleased ? () : nil }) != nil { return }
                try? self?.refresh()  // A lock that cannot be refreshed grows stale; the next interval tries again.
            }
        }
        refresher.withLock { $0 = thread }
    }

    /// Removes the lock. A store that cannot be reached leaves it to grow stale.
    package func release() throws {
        let id = current.withLock { state -> ObjectID? in
            state.isReleased = true
            defer { state.id = nil }
            return state.id
        }
        if let thread = refresher.withLock({ thread in
            defer { thread = nil }; return thread
        }) {
            try thread.join()
        }
        if let id { try repository.store.delete(ObjectKind.lock.key(id)) }
    }

    private func writeLock() throws -> ObjectID {
        let process = ProcessIdentity.current()
        let document = LockDocument(
            time: clock(), exclusive: exclusive, hostname: identity.hostname, username: identity.username,
            pid: Int64(getpid()), uid: identity.uid, gid: identity.gid, bootID: process?.bootID,
            processStart: process?.start)
        return try repository.saveLock(document)
    }

    private func refresh() throws {
        let id = try writeLock()
        let old = current.withLock { state -> ObjectID? in
            defer { if !state.isReleased { state.id = id } }
            return state.isReleased ? id : state.id
        }
        if let old { try repository.store.delete(ObjectKind.lock.key(old)) }
    }

    private static func checkOthers(
        _ repository: OpenRepository, exclusive: Bool, own: ObjectID?, now: Timestamp, _ identity: Identity,
        _ removed: (LockDocument, String) -> Void
    ) throws {
        for (id, lock) in try repository.locks() where id != own {
            if let proof = lock.proofOfDeath(now: now, hostname: identity.hostname) {
                try repository.store.delete(ObjectKind.lock.key(id))
                removed(lock, proof)
                continue
            }
            if exclusive || lock.exclusive { throw RepositoryError.locked(lock, id: id) }
        }
    }
}

extension LockDocument {
    /// Why the lock's holder cannot be working any more; nil when it may.
    package func proofOfDeath(now: Timestamp, hostname: String) -> String? {
        let (age, overflow) = now.seconds.subtractingReportingOverflow(time.seconds)
        if !overflow, age > RepositoryLock.staleAfterSeconds { return "it was last refreshed \(age / 60) minutes ago" }
        guard self.hostname == hostname, let pid = Int32(exactly: pid), pid > 0 else { return nil }
        let holder = ProcessIdentity.of(pid: Int64(pid))
        guard let bootID, let processStart else {
            // A lock of restic: the process id is all there is.
            guard kill(pid, 0) != 0, errno == ESRCH else { return nil }
            return "no process of this machine has the id \(pid)"
        }
        guard let own = ProcessIdentity.current() else { return nil }
        if own.bootID != bootID { return "the machine was restarted since" }
        guard let holder else { return "no process of this machine has the id \(pid)" }
        return holder.start == processStart ? nil : "process \(pid) was started after the lock was made"
    }
}

extension OpenRepository {
    /// All locks that can be read; one that vanishes meanwhile is passed over.
    package func locks() throws -> [(id: ObjectID, lock: LockDocument)] {
        var locks: [(id: ObjectID, lock: LockDocument)] = []
        for id in try ids(of: .lock) {
            do {
                locks.append((id, try LockDocument(decoding: loadUnpacked(.lock, id))))
            } catch let error as ObjectStoreError where error.code == .notFound {
                continue
            }
        }
        return locks
    }

    /// Stores a lock; also allowed in a repository that is otherwise only read.
    func saveLock(_ document: LockDocument) throws -> ObjectID {
        let plain = try document.encoded()
        let sealed = try makeSealer().seal(plain)
        let id = ObjectID(hashing: sealed)
        try store.put(sealed, sha256: id.hexadecimal, as: ObjectKind.lock.key(id), ifAbsent: true)
        return id
    }

    /// Removes locks.
    ///
    /// - Parameter all: also those whose holders may be alive, and those that cannot be read, of which nothing is told.
    /// - Returns: the removed ones.
    /// - Throws: ``RepositoryError/Code/damaged`` for a lock that cannot be read, unless `all` is set; errors of the
    ///   store.
    package func unlock(all: Bool, now: Timestamp, hostname: String) throws -> [LockDocument] {
        var removed: [LockDocument] = []
        for id in try ids(of: .lock) {
            do {
                let lock = try LockDocument(decoding: loadUnpacked(.lock, id))
                guard all || lock.proofOfDeath(now: now, hostname: hostname) != nil else { continue }
                try store.delete(ObjectKind.lock.key(id))
                removed.append(lock)
            } catch let error as ObjectStoreError where error.code == .notFound {
                continue
            } catch let error where all && !(error is ObjectStoreError) {
                // Damaged: whoever made it, nobody can be asked, and it would bar the repository for ever.
                try store.delete(ObjectKind.lock.key(id))
            }
        }
        return removed
    }
}
