import Glibc
package import JSON
package import PluginProtocol
import Threads

/// A source behind a plugin: it writes dumps, such as that of a database, and reads them back.
///
/// Neither call is ever sent again by itself: part of a dump may have been consumed already.
package final class SourcePlugin: Sendable {
    /// How much of a dump is handed over at once, at most.
    static let bufferByteCount = 1 << 20

    /// What the plugin said it is.
    package let description: PluginDescription
    let session: PluginSession

    init(_ session: PluginSession) throws {
        self.session = session
        guard let description = session.description else {
            throw PluginHostError(.closed, "\(session.subject.title) was closed", subject: session.subject)
        }
        self.description = description
    }

    /// Takes a dump.
    ///
    /// Only a return without error says that what was consumed is the whole dump: end-of-file says nothing.
    ///
    /// - Parameters:
    ///   - timeout: in all; nil for the longest transfer the deadlines allow.
    ///   - consume: gets the bytes in order, at most 1 MiB at once, on the calling thread; they are valid only inside
    ///     the call. What it throws ends the dump and is thrown.
    /// - Returns: the plugin's answer; its `size` is the number of bytes consumed. Its digest is not checked.
    /// - Throws: ``PluginHostError``, or what `consume` throws.
    package func dump(
        run: String, name: String, context: JSONObject, timeout: Duration? = nil,
        consume: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> SourceDumpResult {
        let label = "\(PluginMethod.sourceDump) \(name)"
        let limit = timeout ?? session.context.deadlines.transferMaximum
        return try session.perform(label, isRepeatable: false) { instance in
            let path = instance.spool.nextOutputPath()
            guard let spoolPath = SpoolPath(path) else { throw PluginHostError.unusableSpoolPath(path) }
            let transfer = try DumpTransfer(path, label)
            defer { transfer.remove() }
            let options = CallOptions(
                label: label, hard: limit, idle: nil, cancellation: session.opening.cancellation)
            let parameters = SourceDumpParameters(
                run: run, name: name, path: spoolPath, deadlineMilliseconds: Milliseconds.count(limit),
                context: context)
            let call = try instance.begin(.sourceDump, parameters, options, wake: transfer.wake)
            let answer: JSONObject
            do {
                answer = try instance.finish(
                    call, options, isCancelled: { transfer.failure != nil },
                    pause: { limit in transfer.step(limit, consume) })
            } catch { throw transfer.failure ?? error }
            let result = try instance.decode(SourceDump.self, answer, options)
            try transfer.finish(announced: result.size, drain: session.context.deadlines.drain, consume)
            if let failure = transfer.failure { throw failure }
            guard transfer.byteCount == result.size else {
                throw PluginHostError.integrity(
                    session.subject, request: label,
                    "announced \(result.size) bytes and wrote \(transfer.byteCount)")
            }
            return result
        }
    }

    /// Hands a dump back.
    ///
    /// - Parameters:
    ///   - size: of the dump in bytes.
    ///   - timeout: in all; nil for the longest transfer the deadlines allow.
    ///   - produce: fills the buffer from its start and returns how many bytes it wrote, 0 at the end; called on the
    ///     calling thread. What it throws ends the call and is thrown.
    /// - Throws: ``PluginHostError``, `integrity` when the plugin did not take all bytes; or what `produce` throws.
    package func load(
        run: String, name: String, size: Int64, context: JSONObject, timeout: Duration? = nil,
        produce: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
        let label = "\(PluginMethod.sourceLoad) \(name)"
        let limit = timeout ?? session.context.deadlines.transferMaximum
        try session.perform(label, isRepeatable: false) { instance in
            let path = instance.spool.nextOutputPath()
            guard let spoolPath = SpoolPath(path) else { throw PluginHostError.unusableSpoolPath(path) }
            let transfer = try LoadTransfer(path, label)
            defer { transfer.remove() }
            let options = CallOptions(
                label: label, hard: limit, idle: nil, cancellation: session.opening.cancellation)
            let parameters = SourceLoadParameters(
                run: run, name: name, path: spoolPath, size: size, context: context)
            let call = try instance.begin(.sourceLoad, parameters, options, wake: transfer.wake)
            let answer: JSONObject
            do {
                answer = try instance.finish(
                    call, options, isCancelled: { transfer.failure != nil },
                    pause: { limit in transfer.step(limit, produce) })
            } catch { throw transfer.failure ?? error }
            _ = try instance.decode(SourceLoad.self, answer, options)
            guard transfer.isComplete, transfer.byteCount == size else {
                throw PluginHostError.integrity(
                    session.subject, request: label, "took \(transfer.byteCount) of \(size) bytes")
            }
        }
    }

    /// Has the plugin try what it needs; one that has no such check passes.
    ///
    /// - Throws: ``PluginHostError``.
    package func check() throws { try session.check() }

    /// Ends the plugin in order.
    package func close() { session.close() }
}
