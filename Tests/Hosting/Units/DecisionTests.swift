import JSON
import JSONRPC
import PluginHost
import Testing

@Suite struct `Decisions of the plugin host` {
    private let start = ContinuousClock.now

    @Test func `a call is cancelled at its hard deadline and its process stopped after the grace`() {
        var clock = CallClock(started: start, hard: .seconds(10), idle: nil, grace: .seconds(3))
        func next(_ seconds: Int) -> CallClock.Step {
            clock.next(now: start + .seconds(seconds), lastActivity: start, isCancelled: false)
        }
        #expect(next(0) == .wait(.seconds(10)))
        #expect(next(9) == .wait(.seconds(1)))
        #expect(next(10) == .sendCancel(.hardDeadline(.seconds(10))))
        #expect(next(11) == .wait(.seconds(2)))
        #expect(next(13) == .stopProcess(.hardDeadline(.seconds(10))))
        #expect(next(14) == .wait(.seconds(1)))
        #expect(clock.reason == .hardDeadline(.seconds(10)))
    }

    @Test func `activity moves the idle deadline, never the hard one`() {
        var clock = CallClock(started: start, hard: .seconds(10), idle: .seconds(4), grace: .seconds(1))
        func next(_ seconds: Int, active: Int) -> CallClock.Step {
            clock.next(now: start + .seconds(seconds), lastActivity: start + .seconds(active), isCancelled: false)
        }
        #expect(next(3, active: 0) == .wait(.seconds(1)))
        #expect(next(4, active: 3) == .wait(.seconds(3)))
        #expect(next(8, active: 7) == .wait(.seconds(2)))
        #expect(next(10, active: 10) == .sendCancel(.hardDeadline(.seconds(10))))
        var idle = CallClock(started: start, hard: .seconds(10), idle: .seconds(4), grace: .seconds(1))
        #expect(
            idle.next(now: start + .seconds(4), lastActivity: start, isCancelled: false)
                == .sendCancel(.idleDeadline(.seconds(4))))
    }

    @Test func `a cancellation counts at once, and only once`() {
        var clock = CallClock(started: start, hard: .seconds(10), idle: nil, grace: .seconds(3))
        #expect(clock.next(now: start, lastActivity: start, isCancelled: true) == .sendCancel(.cancelled))
        #expect(clock.next(now: start, lastActivity: start, isCancelled: true) == .wait(.seconds(3)))
        #expect(
            clock.next(now: start + .seconds(3), lastActivity: start, isCancelled: true) == .stopProcess(.cancelled))
    }

    @Test func `the end of a process goes up the ladder`() {
        var ladder = StopLadder(PluginDeadlines())
        #expect(ladder.nextDue == nil)
        ladder.order(.closeInput, at: start)
        #expect(ladder.advance(now: start) == [.closeInput])
        #expect(ladder.nextDue == start + .seconds(5))
        #expect(ladder.advance(now: start + .seconds(4)) == [])
        #expect(ladder.advance(now: start + .seconds(5)) == [.terminate])
        #expect(ladder.advance(now: start + .seconds(10)) == [.kill])
        #expect(ladder.advance(now: start + .seconds(20)) == [.giveUp])
        #expect(ladder.nextDue == nil)
    }

    @Test func `an order skips no step and takes none twice`() {
        var ladder = StopLadder(PluginDeadlines())
        ladder.order(.terminate, at: start + .seconds(2))
        ladder.order(.terminate, at: start + .seconds(9))
        #expect(ladder.nextDue == start + .seconds(2))
        #expect(ladder.advance(now: start + .seconds(2)) == [.closeInput, .terminate])
        ladder.order(.closeInput, at: start)
        #expect(ladder.nextDue == start + .seconds(7))
        ladder.order(.kill, at: start + .seconds(3))
        #expect(ladder.advance(now: start + .seconds(3)) == [.kill])
    }

    @Test func `deaths in a row make the pause longer, success makes it short again`() {
        var policy = RestartPolicy(PluginDeadlines())
        var pauses: [Duration] = []
        for number in 0..<4 {
            let now = start + .seconds(1000 * number)
            policy.recordDeath(now: now, factor: 1)
            pauses.append((policy.notBefore ?? now) - now)
        }
        #expect(pauses == [.milliseconds(100), .milliseconds(500), .seconds(2), .seconds(5)])
        policy.recordSuccess()
        #expect(policy.notBefore == nil)
        policy.recordDeath(now: start, factor: 1.2)
        #expect(policy.notBefore == start + .milliseconds(120))
    }

    @Test func `five deaths within the window open the breaker`() {
        var policy = RestartPolicy(PluginDeadlines())
        for second in [0, 40, 80, 120] { policy.recordDeath(now: start + .seconds(second), factor: 1) }
        #expect(!policy.isOpen(now: start + .seconds(120)))
        var slow = policy
        slow.recordDeath(now: start + .seconds(181), factor: 1)
        #expect(!slow.isOpen(now: start + .seconds(181)))
        policy.recordDeath(now: start + .seconds(160), factor: 1)
        #expect(policy.isOpen(now: start + .seconds(160)))
    }

    private func decisions(
        _ errors: [PluginHostError], repeatable: Bool = true, wasSent: Bool = true
    ) -> [RetryPolicy.Decision] {
        var policy = RetryPolicy(PluginDeadlines(), isRepeatable: repeatable)
        return errors.map { policy.decide($0, wasSent: wasSent, factor: 1) }
    }

    private func remote(_ code: RPCErrorCode, retryAfter: Int64? = nil, retryable: Bool? = nil) -> PluginHostError {
        var data: [(name: String, value: JSONValue)] = []
        if let retryAfter { data.append(("retry_after_ms", .integer(retryAfter))) }
        if let retryable { data.append(("retryable", .bool(retryable))) }
        return .remote(
            PluginSubject(name: "p", executable: "/p"), request: "r", error: RPCError(code, "", data: JSONObject(data)))
    }

    @Test func `a request that ended two processes is poison`() {
        let died = PluginHostError(.died, "")
        #expect(decisions([died, died]) == [.retry(after: .zero), .failAsPoison])
        #expect(decisions([died], repeatable: false) == [.fail])
        #expect(
            decisions([died, died, died], repeatable: false, wasSent: false)
                == [.retry(after: .zero), .retry(after: .zero), .fail])
        let broken = PluginHostError(.protocolViolation, "")
        #expect(decisions([broken, broken]) == [.retry(after: .zero), .fail])
        #expect(decisions([PluginHostError(.timeout, "")]) == [.fail])
    }

    @Test func `errors of the plugin are tried again by their code`() {
        #expect(
            decisions([remote(.unavailable), remote(.unavailable), remote(.unavailable)])
                == [.retry(after: .milliseconds(100)), .retry(after: .milliseconds(500)), .fail])
        #expect(decisions([remote(.rateLimited, retryAfter: 1500)]) == [.retry(after: .milliseconds(1500))])
        #expect(decisions([remote(.rateLimited, retryAfter: 1 << 50)]) == [.retry(after: .seconds(300))])
        #expect(
            decisions([remote(.unauthenticated), remote(.unauthenticated)])
                == [.retry(after: .zero, reopen: true), .fail])
        #expect(decisions([remote(.integrity), remote(.integrity)]) == [.retry(after: .zero), .fail])
        #expect(decisions([remote(.notFound)]) == [.fail])
        #expect(decisions([remote(.unavailable, retryable: false)]) == [.fail])
        #expect(decisions([remote(RPCErrorCode(rawValue: 1234))]) == [.fail])
        #expect(
            decisions([remote(RPCErrorCode(rawValue: 1234), retryable: true)])
                == [.retry(after: .milliseconds(100))])
        #expect(decisions([remote(.unavailable)], repeatable: false) == [.fail])
    }
}
