import Glibc
import Threads

/// How many processors there are, at least two: one works while another waits for the store.
var processorCount: Int { max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// Runs `body` on several threads at once and waits for all of them.
///
/// - Throws: the first error by the number of the thread.
func runWorkers(count: Int, name: String, _ body: @escaping @Sendable () throws -> Void) throws {
    let threads = (0..<count).map { WorkerThread(name: "\(name)-\($0)", body) }
    var failure: (any Error)?
    for thread in threads {
        do { try thread.join() } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
}
