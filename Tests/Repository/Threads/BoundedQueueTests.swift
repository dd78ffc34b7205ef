import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct BoundedQueueTests {
    @Test func `elements come out in the order they went in`() throws {
        let queue = BoundedQueue<Int>(bound: 3)
        let producer = WorkerThread(name: "producer") {
            for number in 0..<1000 { queue.push(number) }
            queue.finish()
        }
        var received: [Int] = []
        while let number = queue.pop() { received.append(number) }
        try producer.join()
        #expect(received == Array(0..<1000))
        #expect(queue.pop() == nil)
        #expect(!queue.push(1))
    }

    @Test func `each element goes to one of many consumers`() throws {
        let queue = BoundedQueue<Int>(bound: 5)
        let seen = Mutex<[Int]>([])
        let consumers = (0..<4).map { number in
            WorkerThread(name: "consumer-\(number)") {
                while let value = queue.pop() { seen.withLock { $0.append(value) } }
            }
        }
        let producers = (0..<4).map { number in
            WorkerThread(name: "producer-\(number)") { for value in 0..<250 { queue.push(number * 250 + value) } }
        }
        for thread in producers { try thread.join() }
        queue.finish()
        for thread in consumers { try thread.join() }
        #expect(seen.withLock { $0.sorted() } == Array(0..<1000))
    }

    @Test func `a producer waits while the cost is at the bound`() throws {
        let queue = BoundedQueue<String>(bound: 10)
        #expect(queue.push("a", cost: 6))
        #expect(queue.push("b", cost: 4))
        // Costs nothing, so it never waits.
        #expect(queue.push("free", cost: 0))
        let pushed = Counter()
        let producer = WorkerThread(name: "producer") {
            queue.push("c", cost: 5)
            pushed.add()
        }
        #expect(queue.pop() == "a")
        try producer.join()
        #expect(pushed.value == 1)
        #expect(queue.pop() == "b")
        #expect(queue.pop() == "free")
        #expect(queue.pop() == "c")
    }

    @Test func `an element beyond the bound is admitted alone`() throws {
        let queue = BoundedQueue<String>(bound: 10)
        #expect(queue.push("huge", cost: 1000))
        let producer = WorkerThread(name: "producer") { queue.push("next", cost: 1) }
        #expect(queue.pop() == "huge")
        try producer.join()
        #expect(queue.pop() == "next")
    }

    @Test func `finishing hands out what is left and refuses more, also from those who wait`() throws {
        let queue = BoundedQueue<Int>(bound: 1)
        #expect(queue.push(1))
        let accepted = Condition<[Bool]>([])
        let producers = (0..<3).map { number in
            WorkerThread(name: "producer-\(number)") {
                let result = queue.push(2)
                accepted.withLock { $0.append(result) }
            }
        }
        queue.finish()
        for thread in producers { try thread.join() }
        #expect(accepted.withLock { $0 } == [false, false, false])
        #expect(queue.pop() == 1)
        #expect(queue.pop() == nil)
    }

    @Test func `aborting drops everything and wakes producers and consumers`() throws {
        let full = BoundedQueue<Int>(bound: 1)
        let empty = BoundedQueue<Int>(bound: 1)
        #expect(full.push(1))
        let results = Mutex<[Bool]>([])
        let threads = (0..<3).flatMap { number in
            [
                WorkerThread(name: "push-\(number)") {
                    let value = full.push(2); results.withLock { $0.append(value) }
                },
                WorkerThread(name: "pop-\(number)") {
                    let value = empty.pop() != nil
                    results.withLock { $0.append(value) }
                },
            ]
        }
        full.abort()
        empty.abort()
        for thread in threads { try thread.join() }
        #expect(results.withLock { $0 } == Array(repeating: false, count: 6))
        #expect(full.pop() == nil)
    }
}
