import Glibc
package import RepositoryFormat

extension LockDocument {
    /// Why the lock's holder cannot be working any more; nil when it may.
    ///
    /// - Parameters:
    ///   - hostname: of this machine; nothing is known of processes elsewhere.
    ///   - machine: this one.
    package func proofOfDeath(
        now: Timestamp, hostname: String, machine: MachineIdentity? = MachineIdentity.current
    ) -> String? {
        let (age, overflow) = now.seconds.subtractingReportingOverflow(time.seconds)
        if !overflow, age > RepositoryLock.staleAfterSeconds { return "it was last refreshed \(age / 60) minutes ago" }
        guard self.hostname == hostname, let pid = Int32(exactly: pid), pid > 0, let machine else { return nil }
        guard let bootID, let processStart else {
            // A lock of restic: the process id is all there is, and all that restic itself looks at.
            guard kill(pid, 0) != 0, errno == ESRCH else { return nil }
            return "no process of this machine has the id \(pid)"
        }
        guard bootID == machine.bootID else {
            // Machines may share a name. This one was started anew only if it is the same one, and the lock is older.
            guard let itsMachine = self.machine, itsMachine == machine.machine, time.seconds < machine.bootSeconds
            else {
                return nil
            }
            return "the machine was restarted since (its boot id was \(bootID))"
        }
        // Without a namespace the lock is of a version that did not note it.
        guard processNamespace == nil || processNamespace == machine.processNamespace else { return nil }
        guard let holder = ProcessIdentity.of(pid: Int64(pid)) else {
            guard kill(pid, 0) != 0, errno == ESRCH else { return nil }
            return "no process of this machine has the id \(pid) since boot \(bootID)"
        }
        guard holder.start != processStart else { return nil }
        return "process \(pid) started \(holder.start) ticks after boot, the lock's holder at \(processStart)"
    }
}
