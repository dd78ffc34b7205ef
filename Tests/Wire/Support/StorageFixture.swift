import Glibc
import JSON
import JSONRPC
import PluginProtocol
import Testing
import TestSupport

/// A storage plugin, opened on a directory of its own.
final class StorageFixture: Sendable {
    /// The plugins that every test of the contract runs against.
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case filesystem, bash, python

        var executable: String {
            switch self {
            case .filesystem: Places.plugin("stillpoint-storage-filesystem")
            case .bash: Places.source("examples/plugins/storage-bash/stillpoint-storage-bash")
            case .python: Places.source("examples/plugins/storage-python/stillpoint-storage-python")
            }
        }

        var testDescription: String { rawValue }
    }

    let directory: TemporaryDirectory
    let process: PluginProcess
    var host: Conversation { process.conversation }
    var repository: String { directory.path("repo") }

    init(_ kind: Kind, mode: String = "rw", in directory: TemporaryDirectory? = nil) throws {
        self.directory = try directory ?? TemporaryDirectory("storage")
        for name in ["repo", "in", "out", "tmp"] { mkdir(self.directory.path(name), 0o700) }
        process = try PluginProcess(kind.executable)
        try host.open(["path": .string(self.directory.path("repo"))], mode: mode, spool: self.directory.path)
    }

    /// A file as the host hands it over: 0400.
    func spooled(_ bytes: [UInt8], _ name: String) throws -> String {
        let path = try directory.write(bytes, to: "in/\(name)")
        chmod(path, 0o400)
        return path
    }

    static let noDigest = String(repeating: "0", count: 64)

    func putParameters(_ key: String, _ path: String, size: Int, ifAbsent: Bool = false) -> JSONObject {
        var parameters: JSONObject = [
            "key": .string(key), "size": .integer(Int64(size)), "sha256": .string(Self.noDigest), "path": .string(path),
        ]
        if ifAbsent { parameters["if_absent"] = true }
        return parameters
    }

    /// Stores bytes and removes the host's name for them.
    @discardableResult
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool = false) throws -> JSONObject {
        let path = try spooled(bytes, "put-\(UInt64.random(in: 0...UInt64.max))")
        defer { unlink(path) }
        return try host.call("storage.put", putParameters(key, path, size: bytes.count, ifAbsent: ifAbsent))
    }

    func get(_ key: String, offset: Int64? = nil, length: Int64? = nil) throws -> [UInt8] {
        let name = "out/get-\(UInt64.random(in: 0...UInt64.max))"
        defer { unlink(directory.path(name)) }
        var parameters: JSONObject = ["key": .string(key), "path": .string(directory.path(name))]
        parameters["offset"] = offset.map { .integer($0) }
        parameters["length"] = length.map { .integer($0) }
        let result = try GetResult(try host.call("storage.get", parameters))
        let bytes = try directory.read(name)
        guard Int64(bytes.count) == result.size else {
            throw Conversation.Failure(description: "\(bytes.count) bytes instead of \(result.size)")
        }
        return bytes
    }

    func keys(_ prefix: String = "", limit: Int64 = 1000) throws -> [String] {
        var keys: [String] = []
        var parameters: JSONObject = ["prefix": .string(prefix), "limit": .integer(limit)]
        for _ in 0..<10_000 {
            let page = try ListPage(try host.call("storage.list", parameters))
            guard page.entries.count <= limit else { throw Conversation.Failure(description: "a page over the limit") }
            keys += page.entries.map(\.key.text)
            guard let cursor = page.cursor else { return keys }
            parameters["cursor"] = .string(cursor.text)
        }
        throw Conversation.Failure(description: "a list without end")
    }

    /// The code of the error that the call must give.
    func code(_ method: String, _ parameters: JSONObject) throws -> RPCErrorCode? {
        try host.failure(method, parameters)?.code
    }

    /// Bytes that differ from seed to seed.
    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }
}
