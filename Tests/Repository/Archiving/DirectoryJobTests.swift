import RepositoryFormat
import TestSupport
import Testing

@testable import Archiving

/// Trees are put together in the order of their entries, whatever the order in which those become complete.
@Suite struct DirectoryJobTests {
    @Test(arguments: [0, 1, 2, 17, 3000])
    func `entries that are complete in any order make the tree in their own`(count: Int) {
        var random = PseudoRandom(seed: UInt64(count) + 1)
        let nodes = (0..<count).map { TreeTests.node("entry-\(100_000 + $0)") }
        let job = DirectoryJob(node: TreeTests.node("data", kind: .dir), entryCount: count, parent: nil)
        var expected: [TreeNode] = []
        var waiting: [Int] = []
        var isComplete = false
        for slot in 0..<count {
            switch random.bytes(1)[0] % 5 {
            case 0: break
            case 1:
                job.set(nodes[slot], slot: slot)
                expected.append(nodes[slot])
            default:
                job.expectEntry(slot: slot)
                waiting.append(slot)
            }
            // Some are left out after all; a few wait for long.
            while waiting.count > 40 || (random.bytes(1)[0] % 3 == 0 && waiting.count > 1) {
                let done = waiting.remove(at: Int(random.bytes(1)[0]) % waiting.count)
                let isKept = random.bytes(1)[0] % 4 != 0
                #expect(!job.complete(isKept ? nodes[done] : nil, slot: done))
                if isKept { expected.append(nodes[done]) }
            }
        }
        isComplete = job.endListing()
        #expect(isComplete == waiting.isEmpty)
        for (number, slot) in waiting.reversed().enumerated() {
            isComplete = job.complete(nodes[slot], slot: slot)
            #expect(isComplete == (number == waiting.count - 1))
            expected.append(nodes[slot])
        }
        #expect(isComplete)
        expected.sort { $0.name.lexicographicallyPrecedes($1.name) }
        #expect(job.takeTree() == TreeEncoding.encoded(expected))
    }

    @Test func `names are sorted by their bytes and found`() {
        var random = PseudoRandom(seed: 5)
        var names = NameList()
        var plain: [[UInt8]] = []
        for length in [1, 2, 3, 255, 1, 1, 7] + Array(repeating: 4, count: 500) {
            let name = random.bytes(length)
            plain.append(name)
            name.withUnsafeBytes { names.append($0) }
        }
        for name in [Array("a".utf8), Array("ab".utf8), Array("a\u{FF}".utf8)] {
            plain.append(name)
            name.withUnsafeBytes { names.append($0) }
        }
        plain.sort { $0.lexicographicallyPrecedes($1) }
        names.sort()
        #expect(Array(names) == plain)
        #expect(plain.allSatisfy { names.contains($0) })
        #expect(!names.contains(Array("b-not-there".utf8)) && !NameList().contains([1]))
    }
}
