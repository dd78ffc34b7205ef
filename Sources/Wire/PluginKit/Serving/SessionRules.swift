/// Which request may come when: a pure state machine over the life of a plugin process.
struct SessionRules: Sendable {
    enum Phase: Sendable, Equatable {
        /// Only `describe` and `open` are legal.
        case fresh
        /// `open` was begun; what follows waits for it.
        case opening
        /// Calls are legal.
        case open
        /// `open` failed; nothing but `describe` is legal any more.
        case refused
    }

    enum Admission: Sendable, Equatable {
        case describe
        case open
        case call
        case refuse(RPCError)
    }

    private(set) var phase = Phase.fresh

    /// Whether later requests wait.
    var isOpening: Bool { phase == .opening }

    /// Decides about the next request in order, and remembers that `open` was begun.
    mutating func admit(_ method: String) -> Admission {
        switch method {
        case PluginMethod.describe.name: return .describe
        case PluginMethod.open.name:
            guard phase == .fresh else {
                return .refuse(RPCError(.invalidRequest, "'open' comes once in the life of a plugin process"))
            }
            phase = .opening
            return .open
        default:
            let isKnown = PluginMethod.all.contains { $0.name == method && $0.direction == .request }
            guard isKnown else {
                return .refuse(RPCError(.methodNotFound, "there is no method '\(method)' in this plugin"))
            }
            guard phase == .open else {
                return .refuse(RPCError(.invalidRequest, "'\(method)' cannot come before a successful 'open'"))
            }
            return .call
        }
    }

    /// Takes in how `open` ended.
    mutating func opened(_ succeeded: Bool) { phase = succeeded ? .open : .refused }
}
