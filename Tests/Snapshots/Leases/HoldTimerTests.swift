import Pipelines
import Synchronization
import Testing
import Threads

@Suite struct HoldTimerTests {
    @Test(.timeLimit(.minutes(1)))
    func `it rings once when the limit is reached`() {
        let count = Condition(0)
        let timer = HoldTimer(limit: .milliseconds(5)) { count.withLock { $0 += 1 } }
        #expect(count.wait(timeout: .seconds(30)) { $0 > 0 ? $0 : nil } == 1)
        #expect(timer.hasExpired)
        #expect(timer.stop())
        #expect(timer.stop())
        #expect(count.withLock { $0 } == 1)
    }

    @Test func `stopped in time it never rings, and says so`() {
        let timer = HoldTimer(limit: .seconds(3600)) { Issue.record("it rang") }
        #expect(!timer.hasExpired)
        #expect(!timer.stop())
        #expect(!timer.stop())
        #expect(!timer.hasExpired)
    }

    @Test(.timeLimit(.minutes(1)))
    func `stopping waits for the callback`() {
        let isRinging = Condition(false)
        let mayEnd = Condition(false)
        let hasEnded = Atomic<Bool>(false)
        let timer = HoldTimer(limit: .zero) {
            isRinging.withLock { $0 = true }
            _ = mayEnd.wait { $0 ? true : nil }
            hasEnded.store(true, ordering: .releasing)
        }
        _ = isRinging.wait { $0 ? true : nil }
        mayEnd.withLock { $0 = true }
        #expect(timer.stop())
        let callbackHasEnded = hasEnded.load(ordering: .acquiring)
        #expect(callbackHasEnded)
    }

    @Test(.timeLimit(.minutes(1)))
    func `it may be stopped from within its callback`() throws {
        let box = Condition<HoldTimer?>(nil)
        let result = Condition<Bool?>(nil)
        let timer = HoldTimer(limit: .zero) {
            let timer = box.wait { $0 }
            let stopped = timer?.stop()
            result.withLock { $0 = stopped }
            box.withLock { $0 = nil }
        }
        box.withLock { $0 = timer }
        #expect(result.wait { $0 } == true)
        #expect(timer.stop())
    }

    @Test(.timeLimit(.minutes(1)))
    func `dropped, it does not ring`() {
        for _ in 0..<50 { _ = HoldTimer(limit: .seconds(3600)) { Issue.record("it rang") } }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [Duration.zero, .seconds(3600)])
    func `an owner that its callback holds is let go once the clock was stopped`(_ limit: Duration) {
        final class Owner: Sendable {
            let timer = Mutex<HoldTimer?>(nil)
            let hasRung = Condition(false)
            func ring() { hasRung.withLock { $0 = true } }
        }
        weak var remembered: Owner?
        do {
            let owner = Owner()
            remembered = owner
            owner.timer.withLock { $0 = HoldTimer(limit: limit) { owner.ring() } }
            if limit == .zero { _ = owner.hasRung.wait { $0 ? true : nil } }
            owner.timer.withLock { $0 }?.stop()
        }
        #expect(remembered == nil)
    }
}
