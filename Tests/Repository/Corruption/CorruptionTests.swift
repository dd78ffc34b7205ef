import Foundation
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing

@testable import Repository

/// Whatever happens to the bytes of a repository: no crash, nothing wrong restored, everything else restored, and the
/// check says what is damaged.
///
/// A sample is drawn each time; `STILLPOINT_EXHAUSTIVE=1` tries every length and every byte (`scripts/corrupt`), and
/// `STILLPOINT_SEED` draws a sample again.
@Suite struct CorruptionTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let isExhaustive = environment["STILLPOINT_EXHAUSTIVE"] == "1"
    static let seed = environment["STILLPOINT_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1 << 32)
    /// Trials of one kind of object and one kind of damage in a sample.
    static let sampleCount = 12
    /// In objects up to this size each bit is flipped alone, in larger ones each byte.
    static let bitwiseByteCount = 600

    static let fixture = Result { try CorruptionFixture() }

    static let kinds = ["config", "keys/", "snapshots/", "index/", "data/", "locks/"]

    /// All of them, or some.
    static func sample<Element>(_ elements: [Element], _ random: inout PseudoRandom) -> [Element] {
        isExhaustive ? elements : Array(elements.shuffled(using: &random).prefix(sampleCount))
    }

    private static func run(_ trial: CorruptionTrial, _ what: String) throws {
        var trial = trial
        do { try trial.run() } catch { Issue.record("\(what), seed \(seed): \(error)") }
        for problem in trial.problems { Issue.record("\(what), seed \(seed): \(problem)") }
    }

    /// What a damaged object may cost.
    private static func trial(_ fixture: CorruptionFixture, _ key: String, _ bytes: [UInt8]?, hit: Range<Int>)
        -> CorruptionTrial
    {
        var trial = CorruptionTrial(fixture, [key: bytes])
        trial.losses = fixture.losses(
            without: (fixture.packs[key] ?? []).filter {
                hit.overlaps(Int($0.offset)..<Int($0.offset) + Int($0.length))
            })
        // A lock is no part of what is stored.
        trial.mustBeFound = !key.hasPrefix("locks/")
        return trial
    }

    @Test(arguments: kinds) func `an object may be cut off anywhere`(_ kind: String) throws {
        let fixture = try Self.fixture.get()
        var random = PseudoRandom(seed: Self.seed)
        let cuts = fixture.objects.filter { $0.key.hasPrefix(kind) }.flatMap { key, bytes in
            bytes.indices.map { (key, $0) }
        }
        for (key, length) in Self.sample(cuts.sorted { $0 < $1 }, &random) {
            let bytes = fixture.objects[key] ?? []
            let trial = Self.trial(fixture, key, Array(bytes[..<length]), hit: length..<bytes.count)
            try Self.run(trial, "\(key) cut off after \(length) bytes")
        }
    }

    @Test(arguments: kinds) func `any byte of an object may change`(_ kind: String) throws {
        let fixture = try Self.fixture.get()
        var random = PseudoRandom(seed: Self.seed)
        let flips = fixture.objects.filter { $0.key.hasPrefix(kind) }.flatMap { key, bytes in
            bytes.indices.flatMap { position -> [(String, Int, UInt8)] in
                let bits: [Int] = bytes.count <= Self.bitwiseByteCount ? Array(0..<8) : [position % 8]
                return bits.map { (key, position, UInt8(1) << UInt8($0)) }
            }
        }
        for (key, position, mask) in Self.sample(flips.sorted { $0 < $1 }, &random) {
            var bytes = fixture.objects[key] ?? []
            bytes[position] ^= mask
            let trial = Self.trial(fixture, key, bytes, hit: position..<position + 1)
            try Self.run(trial, "\(key) with byte \(position) changed by \(mask)")
        }
    }

    @Test func `any object may be missing`() throws {
        let fixture = try Self.fixture.get()
        for (key, bytes) in fixture.objects where key != "config" && !key.hasPrefix("locks/") {
            var trial = Self.trial(fixture, key, nil, hit: 0..<bytes.count)
            // Nobody can miss a key or a snapshot that another program may have removed.
            trial.mustBeFound = key.hasPrefix("index/") || key.hasPrefix("data/")
            if key.hasPrefix("index/") {
                trial.isUnnamed = true
                trial.losses = fixture.snapshots.mapValues { Set($0.keys) }
            }
            try Self.run(trial, "without \(key)")
        }
    }

    @Test func `objects under each other's names are taken for neither`() throws {
        let fixture = try Self.fixture.get()
        for kind in ["snapshots/", "index/", "data/"] {
            let keys = fixture.objects.keys.filter { $0.hasPrefix(kind) }.sorted()
            for (one, other) in zip(keys, keys.dropFirst()) {
                var trial = CorruptionTrial(fixture, [one: fixture.objects[other], other: fixture.objects[one]])
                trial.losses = fixture.losses(without: (fixture.packs[one] ?? []) + (fixture.packs[other] ?? []))
                try Self.run(trial, "\(one) and \(other) swapped")
            }
        }
    }

    @Test func `files and folders of others are passed over`() throws {
        let fixture = try Self.fixture.get()
        let digits = String(repeating: "a", count: 64)
        var garbage: [String: [UInt8]?] = ["README": [1], "data/zz/x": [2], "data/aa/\(digits)x": [3], "index/x": []]
        garbage["snapshots/tmp-1/y"] = [4]
        garbage["keys/.hidden"] = [5]
        garbage["data/ab/\(digits)"] = [6]
        garbage["locks/\(digits.uppercased())"] = [7]
        var trial = CorruptionTrial(fixture, garbage)
        trial.mustBeFound = false
        try Self.run(trial, "with files of others")
    }

    @Test func `a copy of a pack under another name changes nothing`() throws {
        let fixture = try Self.fixture.get()
        let other = ObjectKind.pack.key(ObjectID(hashing: [1, 2, 3]))
        for key in fixture.packs.keys {
            var trial = CorruptionTrial(fixture, [other: fixture.objects[key]])
            trial.mustBeFound = false
            try Self.run(trial, "\(key) twice")
        }
    }
}
