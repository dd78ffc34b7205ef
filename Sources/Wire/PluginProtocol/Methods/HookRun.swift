public import JSON

/// `hook.run`: acts on an event.
public enum HookRun: PluginCall {
    /// `hook.run`
    public static let method = PluginMethod.hookRun
    /// The parameters.
    public typealias Parameters = HookRunParameters
    /// The result.
    public typealias Response = HookRunResult
}

/// How the work between pre and post ended.
public enum HookOutcome: String, Sendable, Hashable, CaseIterable {
    /// All went well.
    case ok
    /// Something was left out.
    case partial
    /// It failed.
    case failed
    /// Somebody cancelled it.
    case cancelled
    /// Nobody knows: the host or the plugin died in between.
    case unknown
}

/// The parameters of `hook.run`.
public struct HookRunParameters: WireObject {
    /// What happened.
    public var event: HookEvent
    /// The run; pre and post of one run carry the same.
    public var run: String
    /// 1 for the first try, more when the host sends the same again.
    public var attempt: Int64
    /// How long the host waits for the answer, in milliseconds.
    public var deadlineMilliseconds: Int64
    /// Whether to do everything but change the world.
    public var dryRun: Bool
    /// Post only: how it ended.
    public var outcome: HookOutcome?
    /// Post only: what pre returned as its state.
    public var state: String?
    /// `application`, `job`, `repository`, `sources`, `tags`; for post also `snapshot`, counters and `error`; for a
    /// rehearsal the scratch paths. `max_hold_ms` says how long pre may stay in force.
    public var context: JSONObject

    /// All members.
    public init(
        event: HookEvent, run: String, attempt: Int64 = 1, deadlineMilliseconds: Int64, dryRun: Bool = false,
        outcome: HookOutcome? = nil, state: String? = nil, context: JSONObject = [:]
    ) {
        self.event = event
        self.run = run
        self.attempt = attempt
        self.deadlineMilliseconds = deadlineMilliseconds
        self.dryRun = dryRun
        self.outcome = outcome
        self.state = state
        self.context = context
    }

    /// - Throws: `JSONError`. An outcome that is not known reads as `unknown`.
    public init(_ reader: JSONReader) throws {
        self.init(
            event: HookEvent(rawValue: try reader.text("event", maximumByteCount: 64)),
            run: try reader.text("run", maximumByteCount: 256), attempt: try reader.optionalCount("attempt") ?? 1,
            deadlineMilliseconds: try reader.count("deadline_ms"), dryRun: try reader.optionalBool("dry_run") ?? false,
            outcome: try reader.optionalString("outcome").map { HookOutcome(rawValue: $0) ?? .unknown },
            state: try reader.contains("state")
                ? reader.text("state", maximumByteCount: HookRunResult.maximumStateByteCount) : nil,
            context: try reader.optionalObject("context") ?? [:])
    }

    /// All members that are set; `dry_run` only when true.
    public var encoded: JSONObject {
        var object: JSONObject = [
            "event": .string(event.rawValue), "run": .string(run), "attempt": .integer(attempt),
            "deadline_ms": .integer(deadlineMilliseconds),
        ]
        if dryRun { object["dry_run"] = true }
        object["outcome"] = outcome.map { .string($0.rawValue) }
        object["state"] = state.map { .string($0) }
        object["context"] = .object(context)
        return object
    }
}

/// The result of `hook.run`.
public struct HookRunResult: WireObject {
    /// What a pre hook wants; post hooks always continue.
    public enum Action: String, Sendable, Hashable {
        /// Go on.
        case proceed = "continue"
        /// This run is not needed: success without a snapshot.
        case skip
        /// Fail the run.
        case abort
    }

    /// One check of a rehearsal.
    public struct Check: WireObject {
        /// What was checked.
        public var name: String
        /// Whether it held.
        public var ok: Bool
        /// More for people.
        public var detail: String?

        /// All members.
        public init(name: String, ok: Bool, detail: String? = nil) {
            self.name = name
            self.ok = ok
            self.detail = detail
        }

        /// - Throws: `JSONError`.
        public init(_ reader: JSONReader) throws {
            self.init(
                name: try reader.string("name"), ok: try reader.bool("ok"), detail: try reader.optionalString("detail"))
        }

        /// All members that are set.
        public var encoded: JSONObject {
            var object: JSONObject = ["name": .string(name), "ok": .bool(ok)]
            object["detail"] = detail.map { .string($0) }
            return object
        }
    }

    /// The most that ``state`` may hold, in bytes of UTF-8.
    public static let maximumStateByteCount = 8192

    /// What the host is to do.
    public var action: Action
    /// Why, for `skip` and `abort`.
    public var reason: String?
    /// Pre only: kept by the host and handed to the matching post, at most 8 KiB.
    public var state: String?
    /// Pre only: absolute paths to capture instead, such as a mounted file-system snapshot. The host checks that they
    /// are allowed.
    public var paths: [String]?
    /// Kept with the snapshot.
    public var metadata: JSONObject?
    /// For `rehearsal.check`.
    public var checks: [Check]?

    /// All members.
    public init(
        action: Action = .proceed, reason: String? = nil, state: String? = nil, paths: [String]? = nil,
        metadata: JSONObject? = nil, checks: [Check]? = nil
    ) {
        self.action = action
        self.reason = reason
        self.state = state
        self.paths = paths
        self.metadata = metadata
        self.checks = checks
    }

    /// - Throws: `JSONError`: an unknown action, a state of more than 8 KiB, a path that is not absolute.
    public init(_ reader: JSONReader) throws {
        guard let action = Action(rawValue: try reader.optionalString("action") ?? "continue") else {
            throw JSONError.outOfRange(reader.path(of: "action"), mustBe: "'continue', 'skip' or 'abort'")
        }
        let paths = try reader.optionalStrings("paths")
        guard (paths ?? []).allSatisfy({ $0.hasPrefix("/") && !$0.utf8.contains(0) && $0.utf8.count < 4096 }) else {
            throw JSONError.outOfRange(reader.path(of: "paths"), mustBe: "a list of absolute paths")
        }
        self.init(
            action: action, reason: try reader.optionalString("reason"),
            state: try reader.contains("state")
                ? reader.text("state", maximumByteCount: Self.maximumStateByteCount) : nil,
            paths: paths, metadata: try reader.optionalObject("metadata"),
            checks: try reader.contains("checks") ? reader.readers("checks").map(Check.init) : nil)
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["action": .string(action.rawValue)]
        object["reason"] = reason.map { .string($0) }
        object["state"] = state.map { .string($0) }
        object["paths"] = paths.map { .array($0.map { .string($0) }) }
        object["metadata"] = metadata.map { .object($0) }
        object["checks"] = checks.map { .array($0.map { .object($0.encoded) }) }
        return object
    }
}
