import Glibc
import ObjectStorage
package import RepositoryFormat
import Synchronization
package import Threads

/// A lock in the repository, refreshed by a thread of its own until it is released.
///
/// The rules are restic's (design, "Locks"; its internal/repository/lock.go): an exclusive lock tolerates no other; locks
/// older than 30 minutes are stale; after writing a lock, 200 ms pass and all locks are looked at again. A shared lock
/// may be read under while they pass, and the repository's ``WriteGate`` holds back every change until they have.
/// A lock of this machine is called dead only when boot id, process id and start time prove it, or, for locks that carry
/// no such facts, when no process has its id.
package final class RepositoryLock: Sendable {
    /// How often the lock is replaced by a younger one; restic's interval.
    package static let refreshInterval = Duration.seconds(5 * 60)
    /// Age at which a lock of somebody else no longer counts.
    package static let staleAfterSeconds: Int64 = 30 * 60
    /// Age at which our own no longer counts for us: one and a half intervals earlier, as restic has it, for the sake of
    /// clocks that differ.
    static let lostAfterSeconds: Int64 = staleAfterSeconds - 450
    /// After writing a lock, others get this long to see it; restic's delay.
    static let settleTime = Duration.milliseconds(200)

    /// What happens while the lock settles.
    package enum Settling: Sendable {
        /// Nothing: the lock is certain once it is made.
        case waited
        /// The caller reads; changes wait. Exclusive locks, and such as others may have to be waited for, settle as with
        /// `waited`: what is read before an exclusive lock is certain may be out of date.
        case overlapped
    }

    /// What a lock tells about others, on any thread.
    package struct Remarks: Sendable {
        /// A dead lock was removed; the proof is a clause.
        package var removed: @Sendable (LockDocument, _ proof: String) -> Void
        /// Somebody else's lock has to be waited for; told once.
        package var waiting: @Sendable (_ reason: String) -> Void

        /// Says nothing unless told how.
        package init(
            removed: @escaping @Sendable (LockDocument, String) -> Void = { _, _ in },
            waiting: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.removed = removed
            self.waiting = waiting
        }
    }

    struct State {
        var id: ObjectID?
        var isReleased = false
        /// By the clock on the wall, in seconds: what others see.
        var refreshedSeconds: Int64 = 0
    }

    let repository: OpenRepository
    let exclusive: Bool
    private let identity: Identity
    let clock: @Sendable () -> Timestamp
    private let remarks: Remarks
    let state: Condition<State>
    private let keeper = Mutex<WorkerThread?>(nil)
    private let token: Mutex<Int?>

    /// Takes a lock.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for others to release theirs; zero fails at once.
    ///   - refreshInterval: how long a lock object stands before a younger one replaces it.
    /// - Throws: ``RepositoryError/Code/locked``; errors of the store.
    package init(
        _ repository: OpenRepository, exclusive: Bool, identity: Identity, clock: @escaping @Sendable () -> Timestamp,
        settling: Settling = .waited, patience: Duration = .zero,
        refreshInterval: Duration = RepositoryLock.refreshInterval, cancellation: Cancellation,
        remarks: Remarks = Remarks()
    ) throws {
        self.repository = repository
        self.exclusive = exclusive
        self.identity = identity
        self.clock = clock
        self.remarks = remarks
        state = Condition(State())
        token = Mutex(nil)
        let isOverlapped = settling == .overlapped && !exclusive && patience == .zero
        try acquire(overlapped: isOverlapped, patience: patience, cancellation)
        let phase = isOverlapped ? WriteGate.Phase.settling : standing()
        let token = repository.gate.add(phase, clock: clock)
        self.token.withLock { $0 = token }
        let thread = WorkerThread(name: "lock") { [weak self] in
            if isOverlapped, self?.settle(token) != true { return }
            var lastTry = ContinuousClock.now
            // The clock on the wall is looked at each second: the one that threads wait by stands still in a suspend.
            while let state = self?.state {
                let pause = min(refreshInterval, .seconds(1))
                if state.wait(timeout: pause, { $0.isReleased ? () : nil }) != nil { return }
                let isDue = ContinuousClock.now - lastTry >= refreshInterval
                if isDue { lastTry = .now }
                guard let self, keep(token, isDue: isDue) else { return }
            }
        }
        keeper.withLock { $0 = thread }
    }

    /// Why the lock was refused or lost after it was made; nil while it is good.
    package var failure: (any Error)? {
        do { try repository.gate.check() } catch { return error }
        return nil
    }

    /// Removes the lock. A store that cannot be reached leaves it to grow stale.
    package func release() throws {
        state.withLock { $0.isReleased = true }
        if let thread = keeper.withLock({ thread in
            defer { thread = nil }; return thread
        }) {
            try thread.join()
        }
        let id = state.withLock { state -> ObjectID? in
            defer { state.id = nil }
            return state.id
        }
        if let token = token.withLock({ token in
            defer { token = nil }; return token
        }) {
            repository.gate.remove(token)
        }
        if let id { try repository.store.delete(ObjectKind.lock.key(id)) }
    }

    // MARK: Acquiring

    private func acquire(overlapped: Bool, patience: Duration, _ cancellation: Cancellation) throws {
        let deadline = ContinuousClock.now.advanced(by: patience)
        var pause = Duration.milliseconds(500)
        var isTold = false
        while true {
            do { return try attempt(overlapped: overlapped) } catch let error as RepositoryError
                where error.code == .locked && ContinuousClock.now < deadline
            {
                try cancellation.check()
                if !isTold { remarks.waiting(error.message) }
                isTold = true
                let wake = state
                let action = cancellation.onCancel { wake.wakeAll() }
                defer { cancellation.remove(action) }
                // The last attempt is made when the time is up.
                _ = state.wait(timeout: min(pause, deadline - .now)) { _ in cancellation.isCancelled ? () : nil }
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private func attempt(overlapped: Bool) throws {
        try checkOthers(own: nil)
        let id = try write()
        do {
            if !overlapped { _ = state.wait(timeout: Self.settleTime) { $0.isReleased ? () : nil } }
            // Whoever wrote a lock at the same moment sees ours now, and we theirs.
            try checkOthers(own: id)
        } catch {
            state.withLock { $0.id = nil }
            try repository.store.delete(ObjectKind.lock.key(id))
            throw error
        }
    }

    /// Stores a lock of this moment.
    func write() throws -> ObjectID {
        let process = ProcessIdentity.current()
        let machine = MachineIdentity.current
        let now = clock()
        let document = LockDocument(
            time: now, exclusive: exclusive, hostname: identity.hostname, username: identity.username,
            pid: Int64(getpid()), uid: identity.uid, gid: identity.gid, bootID: process?.bootID,
            processStart: process?.start, processNamespace: machine?.processNamespace, machine: machine?.machine)
        let id = try repository.saveLock(document)
        state.withLock { state in
            state.id = state.id ?? id
            state.refreshedSeconds = now.seconds
        }
        return id
    }

    /// - Throws: ``RepositoryError/Code/locked`` when a lock of somebody who may be alive excludes this one.
    func checkOthers(own: ObjectID?) throws {
        for (id, lock) in try repository.locks() where id != own {
            if let proof = lock.proofOfDeath(now: clock(), hostname: identity.hostname) {
                try repository.store.delete(ObjectKind.lock.key(id))
                remarks.removed(lock, proof)
                continue
            }
            if exclusive || lock.exclusive { throw RepositoryError.locked(lock, id: id) }
        }
    }

    /// The phase of a lock that was written or refreshed just now.
    func standing() -> WriteGate.Phase {
        .standing(until: state.withLockQuietly { $0.refreshedSeconds } + Self.lostAfterSeconds)
    }
}
