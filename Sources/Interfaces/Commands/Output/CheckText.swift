import JSON
import Maintenance
import RepositoryFormat

/// What a check has found, for people and for programs.
struct CheckText {
    private let result: RepositoryCheck.Result

    init(_ result: RepositoryCheck.Result) { self.result = result }

    func show(_ terminal: Terminal) {
        if terminal.isJSON { return terminal.result(JSONLine.encoded(json)) }
        for finding in result.findings {
            if finding.isError {
                terminal.result("error: " + Terminal.printable(finding.message))
            } else {
                terminal.remark("note: " + Terminal.printable(finding.message))
            }
        }
        let read = result.packsRead > 0 ? ", \(Units.bytes(Int64(clamping: result.bytesRead))) read" : ""
        terminal.result(
            "\(result.snapshots) snapshots, \(result.trees) trees, \(result.packs) packs, \(result.blobs) blobs\(read): \(result.isClean ? "no errors were found" : "errors were found")"
        )
        for advice in result.advice { terminal.remark("run: \(advice)") }
    }

    private var json: JSONObject {
        [
            "message_type": "check", "clean": .bool(result.isClean),
            "error_count": .integer(Int64(result.findings.count(where: \.isError))),
            "snapshots": .integer(Int64(result.snapshots)), "packs": .integer(Int64(result.packs)),
            "blobs": .integer(Int64(result.blobs)), "trees": .integer(Int64(result.trees)),
            "packs_read": .integer(Int64(result.packsRead)),
            "bytes_read": .integer(Int64(clamping: result.bytesRead)),
            "findings": .array(result.findings.map { .object(Self.json($0)) }),
            "broken_packs": Self.list(result.brokenPacks),
            "advice": .array(result.advice.map { .string($0) }),
        ]
    }

    private static func json(_ finding: RepositoryCheck.Finding) -> JSONObject {
        var object: JSONObject = [
            "error": .bool(finding.isError), "kind": .string(finding.kind.rawValue),
            "message": .string(finding.message),
        ]
        if let id = finding.object { object["object"] = .string(id.hexadecimal) }
        if !finding.lostBlobs.isEmpty { object["lost_blobs"] = list(finding.lostBlobs) }
        if !finding.concern.paths.isEmpty {
            object["paths"] = .array(finding.concern.paths.map { .string($0) })
            object["more_paths"] = .bool(finding.concern.hasMorePaths)
            object["snapshots"] = list(finding.concern.snapshots)
        }
        return object
    }

    private static func list(_ ids: [ObjectID]) -> JSONValue { .array(ids.map { .string($0.hexadecimal) }) }
}
