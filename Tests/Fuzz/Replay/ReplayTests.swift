import Foundation
import FuzzTargets
import Testing

/// All inputs that are kept, through all decoders, without a fuzzer.
@Suite struct ReplayTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    private static let isRecording = ProcessInfo.processInfo.environment["STILLPOINT_RECORD_GOLDEN"] == "1"

    private static func inputs(_ kind: String, _ target: FuzzTarget) throws -> [URL] {
        let folder = folder.appendingPathComponent("\(kind)/\(target.name)")
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    /// `STILLPOINT_RECORD_GOLDEN=1` writes the seeds anew, as for golden files.
    @Test(arguments: FuzzTarget.all.map(\.name))
    func `the seeds of a target are the real objects of today`(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let folder = Self.folder.appendingPathComponent("Corpus/\(name)")
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for (name, bytes) in seeds {
            let file = folder.appendingPathComponent(name)
            if Self.isRecording {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(bytes).write(to: file)
            }
            #expect(FileManager.default.fileExists(atPath: file.path), "\(name)")
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func `no kept input of a target is a finding`(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let files = try Self.inputs("Corpus", target) + Self.inputs("Regressions", target)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = try Data(contentsOf: file)
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try bytes.withUnsafeBytes { try target.examine($0) }
            }
        }
    }

    /// Some changes of each seed: not a fuzzer, but enough to notice a decoder that traps on anything.
    @Test(arguments: FuzzTarget.all.map(\.name))
    func `no small change of a kept input is a finding`(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for file in try Self.inputs("Corpus", target) {
            let bytes = Array(try Data(contentsOf: file))
            let step = max(1, bytes.count / 40)
            for position in stride(from: 0, to: bytes.count, by: step) {
                var changed = bytes
                for value in [bytes[position] ^ 1, ~bytes[position], 0x22] {
                    changed[position] = value
                    try changed.withUnsafeBytes { try target.examine($0) }
                }
                try Array(bytes[..<position]).withUnsafeBytes { try target.examine($0) }
            }
        }
    }
}
