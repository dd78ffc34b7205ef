package import JSON

extension SnapshotDocument {
    /// The document as JSON, members always in the same order, absent ones left out. Times are RFC 3339 in UTC,
    /// durations end in `_ms`.
    package var json: JSONObject {
        var object: JSONObject = [
            "format": .integer(Self.newestFormat), "kind": .string(kind.rawValue), "run": .string(run.text),
        ]
        object["trigger"] = trigger.map { .string($0.rawValue) }
        object["started"] = .string(started.description)
        object["finished"] = .string(finished.description)
        object["host"] = .string(host)
        object["program_version"] = .string(programVersion)
        object["consistency"] = .string(consistency.rawValue)
        object["applications"] = .array(applications.map { .object($0.json) })
        object["warnings"] = .array(warnings.map { .object($0.json) })
        return object
    }

    /// Reads a document. Members that this version does not know are ignored, missing lists are empty.
    ///
    /// - Throws: ``SnapshotModelError``: `unsupportedFormat` for a newer format, `malformedDocument` when something is
    ///   missing or of another type without which the snapshot cannot be understood.
    package init(json: JSONObject) throws {
        let reader = JSONReader(json)
        do {
            let format = try reader.count("format")
            guard format <= Self.newestFormat else {
                throw SnapshotModelError.unsupportedFormat(Self.fileName, format: format, newest: Self.newestFormat)
            }
            guard let kind = SnapshotKind(rawValue: try reader.string("kind")) else {
                throw JSONError.outOfRange("kind", mustBe: "full or partial")
            }
            self.init(
                kind: kind, run: try RunID(try reader.string("run")),
                trigger: try reader.optionalString("trigger").flatMap(Trigger.init(rawValue:)),
                started: try Moment(rfc3339: try reader.string("started")),
                finished: try Moment(rfc3339: try reader.string("finished")), host: try reader.string("host"),
                programVersion: try reader.optionalString("program_version") ?? "unknown",
                applications: try reader.list("applications").map(Application.init(reader:)),
                warnings: try reader.list("warnings").map(Warning.init(reader:)))
        } catch let error as SnapshotModelError where error.code == .unsupportedFormat {
            throw error
        } catch {
            throw SnapshotModelError.malformedDocument(Self.fileName, cause: error)
        }
    }
}

extension JSONReader {
    /// An array of objects; empty when the member is absent.
    fileprivate func list(_ name: String) throws -> [JSONReader] { contains(name) ? try readers(name) : [] }
}

extension SnapshotDocument.Warning {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["application"] = application.map { .string($0.text) }
        object["path"] = path.map { .string($0) }
        object["message"] = .string(message)
        return object
    }

    fileprivate init(reader: JSONReader) throws {
        self.init(
            application: try reader.optionalString("application").map { try ApplicationName($0) },
            path: try reader.optionalString("path"), message: try reader.string("message"))
    }
}

extension SnapshotDocument.Application {
    fileprivate var json: JSONObject {
        var object: JSONObject = ["name": .string(name.text)]
        object["title"] = title.map { .string($0) }
        object["version"] = version.map { .string($0) }
        object["consistency"] = .string(consistency.rawValue)
        object["consistency_reason"] = consistencyReason.map { .string($0) }
        object["restorable"] = .bool(isRestorable)
        object["held_ms"] = held.map { .integer($0.wholeMilliseconds) }
        object["volumes"] = .array(volumes.map { .object($0.json) })
        object["dumps"] = .array(dumps.map { .object($0.json) })
        object["manifests"] = .array(
            manifests.map { ["path": .string($0.path), "stored_path": .string($0.storedPath)] })
        object["hooks"] = .array(hooks.map { .object($0.json) })
        return object
    }

    /// An unknown consistency counts as `partial`: what we cannot understand we do not vouch for.
    fileprivate init(reader: JSONReader) throws {
        self.init(
            name: try ApplicationName(try reader.string("name")), title: try reader.optionalString("title"),
            version: try reader.optionalString("version"),
            consistency: Consistency(rawValue: try reader.string("consistency")) ?? .partial,
            consistencyReason: try reader.optionalString("consistency_reason"),
            isRestorable: try reader.bool("restorable"),
            held: try reader.optionalCount("held_ms").map { .milliseconds($0) },
            volumes: try reader.list("volumes").map(SnapshotDocument.Volume.init(reader:)),
            dumps: try reader.list("dumps").map(SnapshotDocument.Dump.init(reader:)),
            manifests: try reader.list("manifests").map {
                SnapshotDocument.Manifest(path: try $0.string("path"), storedPath: try $0.string("stored_path"))
            }, hooks: try reader.list("hooks").map(SnapshotDocument.HookResult.init(reader:)))
    }
}

extension SnapshotDocument.Volume {
    fileprivate var json: JSONObject {
        [
            "name": .string(name), "path": .string(path), "entries": .integer(entryCount), "bytes": .integer(byteCount),
        ]
    }

    fileprivate init(reader: JSONReader) throws {
        self.init(
            name: try reader.string("name"), path: try reader.string("path"), entryCount: try reader.count("entries"),
            byteCount: try reader.count("bytes"))
    }
}

extension SnapshotDocument.Dump {
    fileprivate var json: JSONObject {
        var object: JSONObject = ["name": .string(name), "plugin": .string(plugin), "bytes": .integer(byteCount)]
        object["load_command"] = loadCommand.map { .array($0.map { .string($0) }) }
        return object
    }

    fileprivate init(reader: JSONReader) throws {
        self.init(
            name: try reader.string("name"), plugin: try reader.string("plugin"), byteCount: try reader.count("bytes"),
            loadCommand: try reader.optionalStrings("load_command"))
    }
}

extension SnapshotDocument.HookResult {
    fileprivate var json: JSONObject {
        var object: JSONObject = [
            "plugin": .string(plugin), "event": .string(event), "outcome": .string(outcome.rawValue),
            "started": .string(started.description), "took_ms": .integer(took.wholeMilliseconds),
        ]
        object["message"] = message.map { .string($0) }
        return object
    }

    fileprivate init(reader: JSONReader) throws {
        self.init(
            plugin: try reader.string("plugin"), event: try reader.string("event"),
            outcome: Outcome(rawValue: try reader.string("outcome")),
            started: try Moment(rfc3339: try reader.string("started")),
            took: .milliseconds(try reader.count("took_ms")), message: try reader.optionalString("message"))
    }
}
