import Glibc
package import SnapshotModel
import Synchronization

/// The journal of a run while it is written: one line an event, append-only, told once for CLI, RPC and console.
///
/// The writer holds the flock(2) of the file until ``close()`` or its end, however it ends: that proves to others that
/// the run is alive. May be used from any thread; the order of the lines is the order of their sequence numbers.
package final class RunJournal: Sendable {
    private struct State {
        var descriptor: Int32
        var nextSequence: Int64
        var byteCount: Int64
        var failure: (any Error)?
    }

    /// The run.
    package let run: RunID
    /// The absolute path, `…/ID.jsonl`.
    package let path: String

    private let files: any JournalFiles
    private let now: @Sendable () -> Moment
    private let observer: (@Sendable (JournalEntry) -> Void)?
    private let state: Mutex<State>

    /// Takes over an open file whose lock it has.
    init(
        run: RunID, path: String, descriptor: Int32, nextSequence: Int64, byteCount: Int64, files: any JournalFiles,
        now: @escaping @Sendable () -> Moment, observer: (@Sendable (JournalEntry) -> Void)?
    ) {
        self.run = run
        self.path = path
        self.files = files
        self.now = now
        self.observer = observer
        state = Mutex(State(descriptor: descriptor, nextSequence: nextSequence, byteCount: byteCount))
    }

    deinit { close() }

    /// Writes one line with one write(2).
    ///
    /// - Parameter durable: whether the line, and all before it, must be on the disk before this returns. Every promise
    ///   needs that.
    /// - Returns: the entry as it was written.
    /// - Throws: ``JournalError``: `noSpace` and `system` when it could not be written, then the journal is as before;
    ///   `broken` once that could not be made sure, or an fsync failed, whose effect nobody knows; `tooLarge`; `closed`.
    @discardableResult
    package func append(_ event: RunEvent, durable: Bool = false) throws -> JournalEntry {
        let entry = try state.withLock { state -> JournalEntry in
            guard state.descriptor >= 0 else { throw JournalError.closed(path) }
            if let failure = state.failure { throw JournalError.broken(path, cause: failure) }
            let entry = JournalEntry(sequence: state.nextSequence, time: now(), event: event)
            let line = try entry.line()
            guard line.count <= JournalEntry.maximumLineByteCount else {
                throw JournalError.tooLarge(path, byteCount: line.count)
            }
            try write(line, &state)
            state.nextSequence += 1
            if durable { try synchronize(&state) }
            return entry
        }
        observer?(entry)
        return entry
    }

    private func write(_ line: [UInt8], _ state: inout State) throws {
        let written: Int
        do {
            written = try files.write(line, to: state.descriptor, path)
            if written != line.count { throw JournalError.system("write all of a line to", path, number: ENOSPC) }
        } catch {
            // Part of the line may stand in the file: the next one must not be glued to it.
            do { try files.truncate(state.descriptor, to: state.byteCount, path) } catch { state.failure = error }
            throw error
        }
        state.byteCount += Int64(written)
    }

    /// After a failed fsync the kernel may have dropped what was not written, and the next fsync succeeds all the same.
    /// Source: fsync(2), and PostgreSQL's "fsyncgate" of 2018.
    private func synchronize(_ state: inout State) throws {
        do { try files.synchronize(state.descriptor, path) } catch {
            state.failure = error
            throw error
        }
    }

    /// Gives the lock up and closes the file. Further events are refused; closing twice is nothing.
    package func close() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            files.close(state.descriptor)
            state.descriptor = -1
        }
    }

    // MARK: The mark of held leases

    /// Says durably that leases of this run may be out, before the first one is: a file `ID.held` beside the journal, so
    /// that the next start needs not read every journal there ever was.
    func markHeld() throws {
        let mark = RunJournalDirectory.heldPath(ofJournal: path)
        do {
            files.close(try files.create(mark))
        } catch let error as JournalError where error.code == .system && access(mark, F_OK) == 0 {
            // It stands there from an earlier lease.
        }
        try files.synchronizeDirectory(RunJournalDirectory.directory(ofJournal: path))
    }

    /// Says that no lease of this run is out any more. When the mark survives a crash, the next start looks in vain.
    func clearHeld() throws { try files.remove(RunJournalDirectory.heldPath(ofJournal: path)) }
}
