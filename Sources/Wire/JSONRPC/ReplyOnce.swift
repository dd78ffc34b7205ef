package import JSON
import Synchronization

/// The right to answer one request, once.
///
/// Whoever holds it calls ``resolve(_:)``; a second answer is dropped, and when all holders let go without an answer, an
/// `internalError` is sent. So every request is answered exactly once, whatever the handler does.
package final class ReplyOnce: Sendable {
    /// The id of the request.
    package let id: RequestID
    private let isAnswered = Atomic<Bool>(false)
    private let send: @Sendable (RPCResponse) -> Void

    /// - Parameter send: writes the response; called exactly once, on the thread that resolves or lets go.
    package init(id: RequestID, send: @escaping @Sendable (RPCResponse) -> Void) {
        self.id = id
        self.send = send
    }

    deinit { resolve(.failure(RPCError(.internalError, "the request was dropped without an answer"))) }

    /// Answers the request.
    ///
    /// - Returns: false when it was answered before; nothing was sent then.
    @discardableResult
    package func resolve(_ outcome: Result<JSONObject, RPCError>) -> Bool {
        guard isAnswered.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return false }
        send(RPCResponse(id: id, outcome: outcome))
        return true
    }
}
