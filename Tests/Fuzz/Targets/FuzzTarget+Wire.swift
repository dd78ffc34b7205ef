import JSON
import JSONRPC
import PluginProtocol
import SnapshotModel

extension FuzzTarget {
    /// JSON text under the limits of the wire, and of files.
    static let json = FuzzTarget(
        "json",
        seeds: {
            [
                "object": Array(#"{"a":1,"b":-2.5e-3,"c":"\u00e4\ud83d\ude00\n","d":[true,false,null,{}],"":""}"#.utf8),
                "numbers": Array("[9223372036854775807,-9223372036854775808,1e308,-0.0,5e-324,0.1]".utf8),
                "spaces": Array(" \t\r\n[ ]\n".utf8), "double": Array(#"{"a":1,"a":2}"#.utf8),
                "deep": Array(repeating: 0x5B, count: 33) + Array(repeating: 0x5D, count: 33),
            ]
        },
        examine: { bytes in
            let value = try? JSONValue.parse(bytes, limits: .file)
            let line = try? JSONValue.parse(bytes, limits: .wire)
            if let line { try require(value == line, "a line and a file of the same bytes differ") }
            guard let value else { return }
            for ascii in [false, true] {
                try requireRoundTrip(
                    value, encode: { try $0.encoded(ascii: ascii) }, decode: { try JSONValue.parse($0) })
            }
            try require(try value.encoded(ascii: true).allSatisfy { $0 < 0x80 }, "not all is ASCII")
        })

    /// A stream of lines as they come from a plugin or a client; the first byte says in how large pieces.
    static let wire = FuzzTarget(
        "wire",
        seeds: {
            let lines = [
                #"{"jsonrpc":"2.0","id":"a.1","result":{"protocol":1,"name":"x","version":"1","kinds":["storage"]}}"#,
                #"{"jsonrpc":"2.0","id":"1","error":{"code":-32000,"message":"no","data":{"retryable":true}}}"#,
                #"{"jsonrpc":"2.0","method":"progress","params":{"request":"1","done":5,"total":9,"message":"m"}}"#,
                #"{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"m"}}"#,
                #"{"jsonrpc":"2.0","id":"2","method":"storage.put","params":{"key":"data/00/a","size":3,"sha256":"","#
                    + #""path":"/tmp/a","if_absent":true}}"#,
                #"{"jsonrpc":"2.0","id":"3","result":{"entries":[{"key":"a/b","size":1,"modified":2}],"cursor":"c"}}"#,
                "noise \u{1B}[0m", #"[{"jsonrpc":"2.0"}]"#, #"x{"jsonrpc""#, "\r", "",
            ]
            var seeds = ["all": [3] + Array(lines.joined(separator: "\n").utf8)]
            for (number, line) in lines.enumerated() { seeds["line-\(number)"] = [255] + Array(line.utf8) + [10] }
            return seeds
        },
        examine: { bytes in
            guard let first = bytes.first else { return }
            let stream = Array(bytes.dropFirst())
            let cap = 256
            let whole = assembled(stream, pieceByteCount: max(stream.count, 1), cap: cap)
            let pieces = assembled(stream, pieceByteCount: Int(first) + 1, cap: cap)
            try require(whole.complete == pieces.complete, "lines depend on how the stream is cut")
            for line in whole.complete + assembled(stream, pieceByteCount: 256, cap: 1 << 20).complete {
                try require(!line.isEmpty && !line.contains(10), "a line is empty or two")
                try judge(line)
            }
        })

    /// application.yaml.
    static let manifest = FuzzTarget(
        "manifest",
        seeds: {
            [
                "full": Array(DocumentSeeds.manifest.utf8), "scalar": Array("a".utf8),
                "twice": Array("a: 1\na: 2\n".utf8),
                "alias": Array("a: &x [1, 2]\nb: [*x, *x]\nc: {<<: *x}\n".utf8), "cycle": Array("&a [*a]".utf8),
                "block": Array("a: |2-\n  b\nc: >+\n  d\n? [e]\n: !!int '1'\n---\n...\n".utf8),
            ]
        },
        examine: { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let manifest = try ApplicationManifest.parse(text)
                try require(try ApplicationManifest.parse(text) == manifest, "the same text gives two manifests")
            } catch let error as ManifestInvalid {
                try require(!error.issues.isEmpty, "it is refused without a reason")
                try require(!error.description.isEmpty, "it is refused without a word")
            }
        })

    private static func assembled(
        _ stream: [UInt8], pieceByteCount: Int, cap: Int
    ) -> (complete: [[UInt8]], overlong: Int) {
        var assembler = LineAssembler(maximumByteCount: cap)
        var result: (complete: [[UInt8]], overlong: Int) = ([], 0)
        for start in stride(from: 0, to: stream.count, by: pieceByteCount) {
            assembler.append(Array(stream[start..<min(start + pieceByteCount, stream.count)]))
            while let line = assembler.next() {
                switch line {
                case .complete(let bytes): result.complete.append(bytes)
                case .overlong: result.overlong += 1
                }
            }
        }
        return result
    }

    private static func judge(_ line: [UInt8]) throws {
        let known: Set<String> = ["progress", "log"]
        switch ServerLine.judge(line, knownNotifications: known) {
        case .response(let response):
            if case .success(let object) = response.outcome { try readAll(object) }
            // What holds a fraction cannot be written in the canonical profile.
            guard let again = try? response.line() else { break }
            let verdict = ServerLine.judge(Array(again.dropLast()), knownNotifications: known)
            guard case .response(let read) = verdict else { throw FuzzFinding("a response becomes \(verdict)") }
            try require(read.id == response.id, "the id of a response changes")
        case .notification(let notification): try readAll(notification.params)
        case .noise(let text): try require(text.utf8.count <= 8300, "\(text.utf8.count) bytes of noise are kept")
        case .unknownNotification, .request, .violation: break
        }
        switch ClientLine.judge(line, acceptsNumbers: true) {
        case .request(let request):
            try readAll(request.params)
            guard let again = try? request.canonicalLine() else { break }
            let read = ClientLine.judge(Array(again.dropLast()), acceptsNumbers: true)
            try require(read == .request(request), "a request becomes \(read)")
        case .notification(let notification): try readAll(notification.params)
        case .invalid(let response): _ = try response.line()
        }
    }

    /// Reads an object as everything that it might be.
    private static func readAll(_ object: JSONObject) throws {
        let types: [any WireObject.Type] = [
            StorageListParameters.self, ListedObject.self, ListPage.self, SourceDumpParameters.self,
            SourceDumpResult.self,
            SourceLoadParameters.self, ProgressParameters.self, HookRunParameters.self, HookRunResult.self,
            SpoolDirectories.self, OpenParameters.self, OpenResult.self, StorageKeyParameters.self, ObjectStat.self,
            StoragePutParameters.self, PutResult.self, CancelParameters.self, LogParameters.self,
            DescribeParameters.self, StorageGetParameters.self, GetResult.self, PluginDescription.self,
        ]
        for type in types { try read(object, as: type) }
        if let schema = try? ConfigSchema(object) {
            _ = try? schema.resolve(object)
            _ = schema.redacted(object)
        }
    }

    private static func read<Message: WireObject>(_ object: JSONObject, as type: Message.Type) throws {
        guard let message = try? Message(object) else { return }
        let again: Message
        do { again = try Message(message.encoded) } catch {
            throw FuzzFinding("a \(type) cannot be written and read again: \(error)")
        }
        try require(again == message, "a \(type) changes when it is written and read again")
    }
}
