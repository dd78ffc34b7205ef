package import PluginHost
import Synchronization

/// Passes on what plugins do to whoever is interested at the moment: the run that is under way.
package final class EventRouter: Sendable {
    private let handlers = Mutex<[Int: @Sendable (PluginEvent) -> Void]>([:])
    private let nextToken = Mutex(0)

    package init() {}

    /// Tells everybody.
    package func send(_ event: PluginEvent) {
        for handler in handlers.withLock({ Array($0.values) }) { handler(event) }
    }

    /// Runs `body` while `handler` gets all events.
    package func withHandler<Result>(
        _ handler: @escaping @Sendable (PluginEvent) -> Void, _ body: () throws -> Result
    ) rethrows -> Result {
        let token = nextToken.withLock { token in
            token += 1
            return token
        }
        handlers.withLock { $0[token] = handler }
        defer { handlers.withLock { $0[token] = nil } }
        return try body()
    }
}
