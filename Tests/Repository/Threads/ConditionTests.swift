import Testing
import Threads

@Suite struct ConditionTests {
    @Test func `a waiter sees the change of another thread`() throws {
        let condition = Condition(0)
        let thread = WorkerThread(name: "changer") { for _ in 0..<100 { condition.withLock { $0 += 1 } } }
        #expect(condition.wait { $0 == 100 ? "done" : nil } == "done")
        try thread.join()
    }

    @Test(arguments: [Duration.zero, .milliseconds(20), .seconds(-5), .nanoseconds(1), .seconds(Int64.min)])
    func `waiting ends when the time is up`(timeout: Duration) {
        let condition = Condition(0)
        let start = ContinuousClock.now
        #expect(condition.wait(timeout: timeout) { $0 == 1 ? () : nil } == nil)
        let waited = ContinuousClock.now - start
        #expect(waited >= min(timeout, .milliseconds(20)) && waited < .seconds(20))
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.max) + .milliseconds(999), .seconds(1 << 62)])
    func `a timeout beyond all clocks is none`(timeout: Duration) throws {
        let condition = Condition(0)
        let thread = WorkerThread(name: "changer") { condition.withLock { $0 = 1 } }
        #expect(condition.wait(timeout: timeout) { $0 == 1 ? true : nil } == true)
        try thread.join()
    }

    @Test func `a condition that holds is seen although the time is up`() {
        #expect(Condition(1).wait(timeout: .zero) { $0 == 1 ? true : nil } == true)
    }

    @Test func `what a waiter changes wakes the next`() throws {
        let condition = Condition(0)
        let threads = (0..<8).map { number in
            WorkerThread(name: "step-\(number)") {
                // Each waits for its turn and gives it on.
                _ = condition.wait { value -> Bool? in
                    guard value == 7 - number else { return nil }
                    value += 1
                    return true
                }
            }
        }
        for thread in threads { try thread.join() }
        #expect(condition.withLock { $0 } == 8)
    }

    @Test func `an error of the body is passed on and the lock is free`() throws {
        struct Failure: Error {}
        let condition = Condition(0)
        #expect(throws: Failure.self) { try condition.wait { (_: inout Int) throws -> Bool? in throw Failure() } }
        #expect(throws: Failure.self) { try condition.withLock { (_: inout Int) in throw Failure() } }
        #expect(condition.withLock { $0 } == 0)
        let thread = WorkerThread(name: "failing") { throw Failure() }
        #expect(throws: Failure.self) { try thread.join() }
    }
}
