package import JSON
import SnapshotModel

extension RunEvent {
    /// The word by which the event stands in a journal.
    package var kind: String {
        switch self {
        case .opened: "opened"
        case .phase: "phase"
        case .progress: "progress"
        case .hookOutput: "hook.output"
        case .warning: "warning"
        case .error: "error"
        case .leaseIntended: "lease.intended"
        case .leaseAcknowledged: "lease.pre.acknowledged"
        case .leasePreFailed: "lease.pre.failed"
        case .leaseWithdrawn: "lease.withdrawn"
        case .leaseReleased: "lease.released"
        case .leaseReleaseFailed: "lease.release.failed"
        case .restoreStaged: "restore.staged"
        case .restoreSwapping: "restore.swapping"
        case .restoreKept: "restore.kept"
        case .restoreCleared: "restore.cleared"
        case .snapshotRecorded: "snapshot.recorded"
        case .finished: "finished"
        case .unknown(let kind, _): kind
        }
    }

    /// The members of the event, always in the same order, absent ones left out. Durations end in `_ms`.
    package var payload: JSONObject {
        switch self {
        case .opened(let header): return header.json
        case .phase(let state, let application):
            return object(("state", .string(state.rawValue)), ("application", text(application?.text)))
        case .progress(let progress): return progress.json
        case .hookOutput(let output):
            return object(
                ("application", text(output.application?.text)), ("plugin", text(output.plugin)),
                ("stream", text(output.stream)), ("line", text(output.line)))
        case .warning(let warning):
            return object(
                ("application", text(warning.application?.text)), ("path", text(warning.path)),
                ("message", text(warning.message)))
        case .error(let message, let application):
            return object(("application", text(application?.text)), ("message", text(message)))
        case .leaseIntended(let lease): return lease.json
        case .leaseAcknowledged(let lease, let action, let reason, let state):
            return object(
                ("lease", .integer(lease)), ("action", text(action)), ("reason", text(reason)), ("state", text(state)))
        case .leasePreFailed(let lease, let message), .leaseWithdrawn(let lease, let message):
            return object(("lease", .integer(lease)), ("message", text(message)))
        case .leaseReleased(let lease, let attempt, let outcome):
            return object(("lease", .integer(lease)), ("attempt", .integer(attempt)), ("outcome", text(outcome)))
        case .leaseReleaseFailed(let lease, let attempt, let message):
            return object(("lease", .integer(lease)), ("attempt", .integer(attempt)), ("message", text(message)))
        case .restoreStaged(let record), .restoreSwapping(let record): return record.json
        case .restoreKept(let application): return object(("application", .string(application.text)))
        case .restoreCleared(let number): return object(("number", .integer(number)))
        case .snapshotRecorded(let id, let tree): return object(("id", text(id)), ("tree", text(tree)))
        case .finished(let outcome, let exitCode, let message):
            return object(
                ("outcome", .string(outcome.rawValue)), ("exit_code", .integer(Int64(exitCode.rawValue))),
                ("message", text(message)))
        case .unknown(_, let payload): return payload
        }
    }

    /// Reads what ``kind`` and ``payload`` write. A kind that this version does not know, and a known kind with a word
    /// that it does not know, become ``unknown(kind:payload:)``.
    ///
    /// - Throws: `JSONError` or `SnapshotModelError` when a member is missing or of another type.
    package init(kind: String, payload: JSONObject) throws {
        let reader = JSONReader(payload)
        func application() throws -> ApplicationName? {
            try reader.optionalString("application").map { try ApplicationName($0) }
        }
        let event: RunEvent?
        switch kind {
        case "opened": event = try JournalHeader(reader).map { .opened($0) }
        case "phase":
            let state = RunState(rawValue: try reader.string("state"))
            let owner = try application()
            event = state.map { .phase($0, application: owner) }
        case "progress": event = .progress(try RunProgress(reader, application: try application()))
        case "hook.output":
            event = .hookOutput(
                HookOutput(
                    application: try application(), plugin: try reader.string("plugin"),
                    stream: try reader.string("stream"), line: try reader.string("line")))
        case "warning":
            event = .warning(
                SnapshotDocument.Warning(
                    application: try application(), path: try reader.optionalString("path"),
                    message: try reader.string("message")))
        case "error": event = .error(message: try reader.string("message"), application: try application())
        case "restore.staged": event = .restoreStaged(try StagedRecord(reader))
        case "restore.swapping": event = .restoreSwapping(try StagedRecord(reader))
        case "restore.kept": event = try application().map { .restoreKept($0) }
        case "restore.cleared": event = .restoreCleared(number: try reader.count("number"))
        case "snapshot.recorded":
            event = .snapshotRecorded(id: try reader.string("id"), tree: try reader.string("tree"))
        case "finished":
            let outcome = RunState(rawValue: try reader.string("outcome"))
            let code = ExitCode(rawValue: Int32(clamping: try reader.integer("exit_code")))
            let message = try reader.optionalString("message")
            if let outcome, let code {
                event = .finished(outcome, exitCode: code, message: message)
            } else {
                event = nil
            }
        default: event = try Self.leaseEvent(kind: kind, reader)
        }
        self = event ?? .unknown(kind: kind, payload: payload)
    }

    private static func leaseEvent(kind: String, _ reader: JSONReader) throws -> RunEvent? {
        switch kind {
        case "lease.intended": return .leaseIntended(try Lease(reader))
        case "lease.pre.acknowledged":
            return .leaseAcknowledged(
                lease: try reader.count("lease"), action: try reader.string("action"),
                reason: try reader.optionalString("reason"), state: try reader.optionalString("state"))
        case "lease.pre.failed":
            return .leasePreFailed(lease: try reader.count("lease"), message: try reader.string("message"))
        case "lease.withdrawn":
            return .leaseWithdrawn(lease: try reader.count("lease"), message: try reader.string("message"))
        case "lease.released":
            return .leaseReleased(
                lease: try reader.count("lease"), attempt: try reader.count("attempt"),
                outcome: try reader.string("outcome"))
        case "lease.release.failed":
            return .leaseReleaseFailed(
                lease: try reader.count("lease"), attempt: try reader.count("attempt"),
                message: try reader.string("message"))
        default: return nil
        }
    }

    private func object(_ members: (name: String, value: JSONValue?)...) -> JSONObject { .present(members) }
    private func text(_ text: String?) -> JSONValue? { text.map { .journalText($0) } }
}

extension JSONObject {
    /// The members that have a value, in this order.
    static func present(_ members: [(name: String, value: JSONValue?)]) -> JSONObject {
        var object = JSONObject()
        for member in members { object[member.name] = member.value }
        return object
    }
}

extension JSONValue {
    /// A string as a journal takes it: U+0000, which JSON text of ours cannot hold, becomes U+FFFD.
    static func journalText(_ text: String) -> JSONValue {
        .string(text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text)
    }
}

extension JournalHeader {
    fileprivate var json: JSONObject {
        .present([
            ("format", .integer(1)), ("run_kind", .string(kind.rawValue)),
            ("application", application.map { .string($0.text) }), ("trigger", .string(trigger.rawValue)),
            ("program_version", .string(programVersion)), ("pid", owner.map { .integer($0.pid) }),
            ("process_start", owner.map { .integer($0.start) }), ("boot_id", owner.map { .string($0.bootID) }),
        ])
    }

    fileprivate init?(_ reader: JSONReader) throws {
        let kind = RunKind(rawValue: try reader.string("run_kind"))
        let trigger = Trigger(rawValue: try reader.string("trigger"))
        let owner: Owner? =
            try reader.contains("pid")
            ? Owner(
                pid: reader.count("pid"), start: reader.count("process_start"), bootID: reader.string("boot_id")) : nil
        guard let kind, let trigger else { return nil }
        self.init(
            kind: kind, application: try reader.optionalString("application").map { try ApplicationName($0) },
            trigger: trigger, programVersion: try reader.string("program_version"), owner: owner)
    }
}

extension RunProgress {
    fileprivate var json: JSONObject {
        .present([
            ("application", application.map { .string($0.text) }), ("part", part.map { .string($0) }),
            ("bytes", .integer(bytes)), ("entries", .integer(entries)),
            ("total_bytes", totalBytes.map { .integer($0) }),
            ("total_entries", totalEntries.map { .integer($0) }),
        ])
    }

    fileprivate init(_ reader: JSONReader, application: ApplicationName?) throws {
        self.init(
            application: application, part: try reader.optionalString("part"), bytes: try reader.count("bytes"),
            entries: try reader.count("entries"), totalBytes: try reader.optionalCount("total_bytes"),
            totalEntries: try reader.optionalCount("total_entries"))
    }
}
