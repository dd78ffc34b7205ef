import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// The forms and the meaning of restic's `--read-data-subset`.
@Suite struct DataSubsetTests {
    private static func packs(_ count: Int) -> [ObjectID: Int64] {
        var random = PseudoRandom(seed: 3)
        return Dictionary(
            uniqueKeysWithValues: (0..<count).map { _ in (ObjectID(hashing: random.bytes(8)), Int64(1000)) })
    }

    @Test(arguments: [
        ("1/1", DataSubset.group(1, of: 1)), ("3/7", .group(3, of: 7)), ("256/256", .group(256, of: 256)),
        ("5%", .percent(5)), ("2.5%", .percent(2.5)), ("100%", .percent(100)), ("50", .byteCount(50)),
        ("50b", .byteCount(50)), ("10k", .byteCount(10240)), ("10K", .byteCount(10240)), ("3M", .byteCount(3 << 20)),
        ("2G", .byteCount(2 << 30)), ("1t", .byteCount(1 << 40)),
    ])
    func `each form is understood`(text: String, expected: DataSubset) {
        #expect(DataSubset(text: text) == expected)
    }

    @Test(arguments: [
        "", "0/5", "6/5", "0/0", "1/257", "1/2/3", "/", "1/", "-1/5", "0%", "-5%", "100.1%", "%", "nan%", "0", "-5",
        "x", "5x", "1.5G", "9999999999999T", "K",
    ])
    func `nothing else is`(text: String) {
        #expect(DataSubset(text: text) == nil)
    }

    @Test func `the groups are the first byte modulo their number, and together all packs`() {
        let packs = Self.packs(500)
        var generator = PseudoRandom(seed: 1)
        var seen: [ObjectID] = []
        for number in 1...7 {
            let group = DataSubset.group(number, of: 7).select(from: packs, using: &generator)
            #expect(group.allSatisfy { Int($0.bytes[0]) % 7 == number - 1 })
            #expect(group == group.sorted())
            seen += group
        }
        #expect(seen.count == 500 && Set(seen).count == 500)
    }

    @Test func `percentages and sizes choose at random, at least one pack`() {
        let packs = Self.packs(200)
        var generator = PseudoRandom(seed: 1)
        func count(_ subset: DataSubset) -> Int { subset.select(from: packs, using: &generator).count }
        #expect(count(.all) == 200 && count(.none) == 0)
        #expect(count(.percent(10)) == 20 && count(.percent(0.1)) == 1 && count(.percent(100)) == 200)
        #expect(count(.byteCount(100_000)) == 100 && count(.byteCount(1)) == 1 && count(.byteCount(1 << 50)) == 200)
        let first = DataSubset.percent(10).select(from: packs, using: &generator)
        let second = DataSubset.percent(10).select(from: packs, using: &generator)
        #expect(first != second)
        #expect(DataSubset.percent(10).select(from: [:], using: &generator) == [])
    }
}
