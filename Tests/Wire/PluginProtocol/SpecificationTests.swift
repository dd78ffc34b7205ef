import Foundation
import JSON
import JSONRPC
import PluginProtocol
import Testing

/// The specification and the code say the same.
@Suite struct `Specification` {
    private let text: String

    init() throws { text = try String(contentsOfFile: Places.source("protocol/README.md"), encoding: .utf8) }

    private func row(_ first: String) -> Bool { text.contains("\n| \(first) |") }

    @Test func `every method and notification has a row`() {
        for method in PluginMethod.all { #expect(row("`\(method.name)`"), "\(method)") }
    }

    @Test func `every parameter and result of a method is named in its row, in order`() throws {
        let key = try #require(ObjectKey("a"))
        let path = try #require(SpoolPath("/a"))
        let spool = SpoolDirectories(input: path, output: path, temporary: path)
        let cursor = ListCursor("a")
        let put = StoragePutParameters(key: key, size: 0, sha256: "", path: path, ifAbsent: true)
        let hook = HookRunParameters(
            event: .notify, run: "", deadlineMilliseconds: 0, dryRun: true, outcome: .ok, state: "", context: [:])
        let hookResult = HookRunResult(reason: "", state: "", paths: [], metadata: [:], checks: [])
        let rows: [(PluginMethod, any WireObject, any WireObject)] = [
            (
                .open, OpenParameters(instance: "", mode: .readOnly, spool: spool, config: [:]),
                OpenResult(spoolNear: path)
            ),
            (.check, EmptyObject(), EmptyObject()), (.storagePut, put, PutResult(size: 0, existed: true)),
            (.storageGet, StorageGetParameters(key: key, path: path, offset: 0, length: 0), GetResult(size: 0)),
            (.storageStat, StorageKeyParameters(key: key), ObjectStat(size: 0, modified: 0)),
            (.storageList, StorageListParameters(prefix: .all, cursor: cursor), ListPage(entries: [], cursor: cursor)),
            (.storageDelete, StorageKeyParameters(key: key), EmptyObject()), (.hookRun, hook, hookResult),
            (
                .sourceDump, SourceDumpParameters(run: "", name: "", path: path, deadlineMilliseconds: 0),
                SourceDumpResult(size: 0, sha256: "", metadata: [:])
            ), (.sourceLoad, SourceLoadParameters(run: "", name: "", path: path, size: 0), EmptyObject()),
        ]
        for (method, parameters, result) in rows {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(method.name)` |") })
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { cell in
                cell.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }.map { String($0) }
            }
            #expect(cells[2] == parameters.encoded.names, "\(method)")
            #expect(cells[3] == result.encoded.names, "\(method)")
        }
    }

    @Test func `every error code has a row with its name`() {
        for number in Array(-32_800 ... -32_500) + Array(0...1000) {
            let code = RPCErrorCode(rawValue: Int64(number))
            let isNamed = code.description != "code \(number)"
            #expect(isNamed == text.contains("\n| \(number) | \(code.description) |"), "\(number)")
        }
    }

    @Test func `every feature, limit and event has a row`() {
        let features = PluginFeatures(
            consistency: .strong, atomicReplace: true, ifAbsent: .atomic, appendOnly: true, getRange: true,
            getStream: true, listOrdered: true, cancel: true, progress: true)
        for name in features.encoded.names { #expect(row("`\(name)`"), "\(name)") }
        for name in PluginLimits(maxObjectSize: 1).encoded.names { #expect(row("`\(name)`"), "\(name)") }
        for event in HookEvent.all { #expect(row("`\(event)`"), "\(event)") }
    }

    @Test func `the caps are the numbers of the code`() {
        #expect(text.contains("at most 65,536 bytes") && WireLimits.requestLine == 65_536)
        #expect(text.contains("at most 1,048,576 bytes") && WireLimits.responseLine == 1_048_576)
        #expect(text.contains("nested at most 32 deep") && JSONLimits.wire.maximumDepth == 32)
        #expect(text.contains("at most 8 KiB") && HookRunResult.maximumStateByteCount == 8192)
    }

    @Test func `the transcript at its beginning is what both sides would write`() throws {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("> {") || $0.hasPrefix("< {") }
        #expect(lines.count == 8)
        for line in lines {
            let bytes = Array(line.dropFirst(2).utf8)
            if line.hasPrefix(">") {
                guard case .request(let request) = ClientLine.judge(bytes) else {
                    Issue.record("no request: \(line)")
                    continue
                }
                // The digest is shortened with an ellipsis, which is not ASCII.
                if request.method == "storage.put" { continue }
                #expect(try request.canonicalLine().dropLast() == bytes[...])
            } else if case .response = ServerLine.judge(bytes, knownNotifications: []) {
                continue
            } else {
                Issue.record("no response: \(line)")
            }
        }
    }
}
