import TestSupport
import Testing
import Threads

@Suite struct CancellationTests {
    @Test func `the first reason wins and actions run once`() throws {
        let cancellation = Cancellation()
        let runs = Counter()
        try cancellation.check()
        for _ in 0..<3 { cancellation.onCancel { runs.add() } }
        let threads = (0..<8).map { number in
            WorkerThread(name: "cancel-\(number)") { cancellation.cancel(.signal(Int32(number) + 1)) }
        }
        for thread in threads { try thread.join() }
        #expect(runs.value == 3)
        let reason = try #require(cancellation.reason)
        cancellation.cancel(.requested)
        #expect(cancellation.reason == reason)
        #expect(cancellation.isCancelled)
        #expect(throws: CancellationFailure(reason: reason)) { try cancellation.check() }
    }

    @Test func `an action that comes late runs at once, a removed one never`() {
        let cancellation = Cancellation()
        let (early, removed, late) = (Counter(), Counter(), Counter())
        cancellation.onCancel { early.add() }
        let token = cancellation.onCancel { removed.add() }
        cancellation.remove(token)
        cancellation.cancel(.failure)
        cancellation.onCancel { late.add() }
        #expect(early.value == 1)
        #expect(removed.value == 0)
        #expect(late.value == 1)
    }

    @Test func `an action registered while another thread cancels runs exactly once`() throws {
        for _ in 0..<50 {
            let cancellation = Cancellation()
            let runs = Counter()
            let canceller = WorkerThread(name: "cancel") { cancellation.cancel(.requested) }
            let registrar = WorkerThread(name: "register") {
                for _ in 0..<10 { cancellation.onCancel { runs.add() } }
            }
            try canceller.join()
            try registrar.join()
            #expect(runs.value == 10)
        }
    }
}
