public import JSON

/// What a plugin promises beyond the mandatory. What is absent is not promised.
public struct PluginFeatures: WireObject {
    /// When the effect of a put or delete is seen by get, stat and list.
    public enum Consistency: String, Sendable, Hashable {
        /// At once, by everybody.
        case strong
        /// At some time.
        case eventual
    }

    /// How `if_absent` behaves when several write at once.
    public enum IfAbsent: String, Sendable, Hashable {
        /// The parameter is ignored or refused.
        case none
        /// Looked up before it is written; two writers may both win.
        case bestEffort = "best_effort"
        /// Exactly one writer wins.
        case atomic
    }

    /// Default: ``Consistency/eventual``.
    public var consistency: Consistency
    /// A put over an object shows readers the old bytes or the new, never a mixture or nothing.
    public var atomicReplace: Bool
    /// Default: ``IfAbsent/none``.
    public var ifAbsent: IfAbsent
    /// The store refuses delete and replace.
    public var appendOnly: Bool
    /// `storage.get` takes `offset` and `length`.
    public var getRange: Bool
    /// `storage.get` may be given a FIFO as `path`.
    public var getStream: Bool
    /// `storage.list` answers in byte order of the keys.
    public var listOrdered: Bool
    /// `cancel` is acted upon.
    public var cancel: Bool
    /// `progress` is sent for long requests.
    public var progress: Bool

    /// Nothing promised, but for what is named.
    public init(
        consistency: Consistency = .eventual, atomicReplace: Bool = false, ifAbsent: IfAbsent = .none,
        appendOnly: Bool = false, getRange: Bool = false, getStream: Bool = false, listOrdered: Bool = false,
        cancel: Bool = false, progress: Bool = false
    ) {
        self.consistency = consistency
        self.atomicReplace = atomicReplace
        self.ifAbsent = ifAbsent
        self.appendOnly = appendOnly
        self.getRange = getRange
        self.getStream = getStream
        self.listOrdered = listOrdered
        self.cancel = cancel
        self.progress = progress
    }

    /// A word that is not known for a feature promises nothing.
    public init(_ reader: JSONReader) throws {
        self.init(
            consistency: try reader.optionalString("consistency").flatMap(Consistency.init) ?? .eventual,
            atomicReplace: try reader.optionalBool("atomic_replace") ?? false,
            ifAbsent: try reader.optionalString("if_absent").flatMap(IfAbsent.init) ?? .none,
            appendOnly: try reader.optionalBool("append_only") ?? false,
            getRange: try reader.optionalBool("get_range") ?? false,
            getStream: try reader.optionalBool("get_stream") ?? false,
            listOrdered: try reader.optionalBool("list_ordered") ?? false,
            cancel: try reader.optionalBool("cancel") ?? false, progress: try reader.optionalBool("progress") ?? false)
    }

    /// The features that differ from their default.
    public var encoded: JSONObject {
        var object = JSONObject()
        if consistency != .eventual { object["consistency"] = .string(consistency.rawValue) }
        if ifAbsent != .none { object["if_absent"] = .string(ifAbsent.rawValue) }
        let flags = [
            ("atomic_replace", atomicReplace), ("append_only", appendOnly), ("get_range", getRange),
            ("get_stream", getStream), ("list_ordered", listOrdered), ("cancel", cancel), ("progress", progress),
        ]
        for (name, flag) in flags where flag { object[name] = true }
        return object
    }
}
