import CSpawn
import Glibc
import Threads

/// The one thread of this process that starts plugins; it never ends.
///
/// The parent-death signal of a child fires when the *thread* that forked it ends, not only the process (prctl(2),
/// PR_SET_PDEATHSIG). So no other thread may fork a plugin, and this one lives as long as the process.
final class SpawnerThread: Sendable {
    static let shared = SpawnerThread()

    private final class Job: Sendable {
        let request: SpawnRequest
        let result = Condition<Result<SpawnedChild, SpawnFailure>?>(nil)
        init(_ request: SpawnRequest) { self.request = request }
    }

    // Callers wait for their job, so the queue holds at most one job for each of them.
    private let jobs = BoundedQueue<Job>(bound: 1024)
    private let thread: WorkerThread

    private init() {
        let jobs = jobs
        thread = WorkerThread(name: "plugin-spawner") {
            while let job = jobs.pop() {
                let result = Self.start(job.request)
                job.result.withLock { $0 = result }
            }
        }
    }

    /// An executable that was written a moment ago may still be open for writing in a process that was forked meanwhile
    /// elsewhere and has not come to its exec yet (ETXTBSY, execve(2)); that passes.
    private static func start(_ request: SpawnRequest) -> Result<SpawnedChild, SpawnFailure> {
        for _ in 0..<50 {
            do throws(SpawnFailure) { return .success(try request.start()) } catch {
                guard error.code == ETXTBSY else { return .failure(error) }
                _ = poll(nil, 0, 10)
            }
        }
        return .failure(SpawnFailure(step: CSPAWN_STEP_EXEC, code: ETXTBSY))
    }

    /// Starts a program; waits until it was executed.
    ///
    /// - Throws: ``SpawnFailure``.
    func spawn(_ request: SpawnRequest) throws -> SpawnedChild {
        let job = Job(request)
        jobs.push(job)
        let result = job.result.wait { $0 }
        guard let result else { preconditionFailure("A wait without a time limit came back without a result.") }
        return try result.get()
    }
}
