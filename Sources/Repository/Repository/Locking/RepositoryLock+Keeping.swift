import ObjectStorage
import RepositoryFormat
import Threads

/// What the lock's own thread does.
extension RepositoryLock {
    /// Waits until others have had their time to see the lock, and looks for theirs.
    ///
    /// - Returns: false when the lock was released meanwhile or is refused.
    func settle(_ token: Int) -> Bool {
        if state.wait(timeout: Self.settleTime, { $0.isReleased ? () : nil }) != nil { return false }
        do {
            let own = state.withLockQuietly { $0.id }
            try checkOthers(own: own)
            try repository.confirmIndex()
            repository.gate.set(token, standing())
            return true
        } catch {
            repository.gate.set(token, .refused(error))
            let own = state.withLock { state -> ObjectID? in
                defer { state.id = nil }
                return state.id
            }
            // One that cannot be removed grows stale.
            if let own { try? repository.store.delete(ObjectKind.lock.key(own)) }
            return false
        }
    }

    /// Refreshes the lock when it is due, and gives it up when that has failed for too long.
    ///
    /// - Returns: false when the lock is lost.
    func keep(_ token: Int, isDue: Bool) -> Bool {
        let refreshed = state.withLockQuietly { $0.refreshedSeconds }
        let (age, overflow) = clock().seconds.subtractingReportingOverflow(refreshed)
        if !overflow, age > Self.lostAfterSeconds {
            do {
                try refreshExpired()
                repository.gate.set(token, standing())
                return true
            } catch {
                repository.gate.set(token, .refused(RepositoryError.lockLost(minutes: age / 60, cause: error)))
                return false
            }
        }
        guard isDue else { return true }
        do {
            let id = try write()
            repository.gate.set(token, standing())
            try replace(with: id)
        } catch {
            // The next interval tries again; when that fails for too long, the lock is given up above. An older lock that
            // could not be removed grows stale.
        }
        return true
    }

    /// Makes the younger lock the one to release, and removes the older.
    private func replace(with id: ObjectID) throws {
        let old = state.withLock { state -> ObjectID? in
            defer { state.id = id }
            return state.id
        }
        if let old, old != id { try repository.store.delete(ObjectKind.lock.key(old)) }
    }

    /// Refreshes a lock that others may have called stale: only if it still stands, before and after (restic's
    /// refreshStaleLock).
    private func refreshExpired() throws {
        let (old, refreshed) = state.withLockQuietly { ($0.id, $0.refreshedSeconds) }
        guard let old, try repository.lockIDs().contains(old) else { throw RepositoryError.lockRemoved }
        let id = try write()
        do {
            _ = state.wait(timeout: Self.settleTime) { $0.isReleased ? () : nil }
            guard try repository.lockIDs().contains(old) else { throw RepositoryError.lockRemoved }
        } catch {
            state.withLock { $0.refreshedSeconds = refreshed }
            try? repository.store.delete(ObjectKind.lock.key(id))
            throw error
        }
        try replace(with: id)
    }
}
