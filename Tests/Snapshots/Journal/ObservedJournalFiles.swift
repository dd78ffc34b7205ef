import Glibc
import Pipelines
import Synchronization

/// The real calls, written down in their order, with failures on request.
final class ObservedJournalFiles: JournalFiles {
    private struct State {
        var calls: [String] = []
        var failures: [String: [Int32]] = [:]
        var shortWrite: Int?
    }

    private let state = Mutex(State())
    private let system = SystemJournalFiles()

    /// The calls so far: `write opened`, `fsync`, `fsync directory`, … Writes show the kind of their event.
    var calls: [String] { state.withLock(\.calls) }

    func forget() { state.withLock { $0.calls = [] } }

    /// Something beside the file system happened.
    func note(_ text: String) { state.withLock { $0.calls.append(text) } }

    /// Lets the next calls of a name fail with these numbers of errno(3).
    func fail(_ call: String, _ numbers: Int32...) { state.withLock { $0.failures[call, default: []] += numbers } }

    /// Lets the next write stop after some bytes.
    func shortenNextWrite(to count: Int) { state.withLock { $0.shortWrite = count } }

    private func enter(_ call: String, _ detail: String = "", _ path: String) throws {
        let number = state.withLock { state -> Int32? in
            state.calls.append(detail.isEmpty ? call : "\(call) \(detail)")
            guard var planned = state.failures[call], !planned.isEmpty else { return nil }
            let number = planned.removeFirst()
            state.failures[call] = planned
            return number
        }
        if let number { throw JournalError.system(call, path, number: number) }
    }

    private func name(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.split(separator: ".").last.map(String.init) ?? name
    }

    func create(_ path: String) throws -> Int32 {
        try enter("create", name(path), path)
        return try system.create(path)
    }

    func open(_ path: String) throws -> Int32 {
        try enter("open", name(path), path)
        return try system.open(path)
    }

    func lock(_ descriptor: Int32, _ path: String) throws -> Bool {
        try enter("lock", "", path)
        return try system.lock(descriptor, path)
    }

    func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws -> Int {
        let text = String(decoding: bytes, as: UTF8.self)
        let kind = text.split(separator: "\"kind\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? "?"
        try enter("write", String(kind), path)
        let limit = state.withLock { state -> Int? in
            defer { state.shortWrite = nil }
            return state.shortWrite
        }
        return try system.write(limit.map { Array(bytes.prefix($0)) } ?? bytes, to: descriptor, path)
    }

    func truncate(_ descriptor: Int32, to byteCount: Int64, _ path: String) throws {
        try enter("truncate", "", path)
        try system.truncate(descriptor, to: byteCount, path)
    }

    func synchronize(_ descriptor: Int32, _ path: String) throws {
        try enter("fsync", "", path)
        try system.synchronize(descriptor, path)
    }

    func synchronizeDirectory(_ path: String) throws {
        try enter("fsync directory", "", path)
        try system.synchronizeDirectory(path)
    }

    func rename(_ path: String, to newPath: String) throws {
        try enter("rename", name(newPath), path)
        try system.rename(path, to: newPath)
    }

    func remove(_ path: String) throws {
        try enter("remove", name(path), path)
        try system.remove(path)
    }

    func close(_ descriptor: Int32) { system.close(descriptor) }
}
