import Glibc
import JSONRPC
import PluginProtocol

extension StoragePlugin {
    /// Up to this size a file in the spool is as fast as a FIFO or faster. Measured with the filesystem plugin and a
    /// Python plugin, spool on ext4 and tmpfs: 64 KiB 0.27 ms against 0.50 ms, 256 KiB 0.57 ms against 0.50 ms.
    static let largestFileByteCount: Int64 = 128 << 10
    /// The largest object that is taken when nobody said how large it is.
    static let maximumUnknownByteCount: Int64 = 1 << 30

    /// Fetches an object, or a range of it.
    ///
    /// The bytes are those the plugin announced, not more and not fewer; whether they are those that were stored is for
    /// the caller to check by their digest.
    ///
    /// - Parameters:
    ///   - offset: the first byte; nil for 0.
    ///   - length: the number of bytes; nil for all to the end (at most 1 GiB). A range beyond the end is `remote` with
    ///     ``RPCErrorCode/invalidRange``, a missing object ``RPCErrorCode/notFound``.
    /// - Throws: ``PluginHostError``.
    package func get(key: String, offset: Int64? = nil, length: Int64? = nil) throws -> [UInt8] {
        let label = "\(PluginMethod.storageGet) \(key)"
        let request = GetRequest(
            key: try self.key(key, label), label: label, offset: offset, length: length,
            isRangeSent: description.features.getRange)
        guard offset ?? 0 >= 0, length ?? 0 >= 0 else {
            throw PluginHostError(
                .invalidConfiguration, "\(label) asks for a range that is none", subject: session.subject)
        }
        let streams = description.features.getStream && request.expected.map { $0 > Self.largestFileByteCount } ?? true
        return try session.perform(label, isRepeatable: true) { instance in
            streams ? try stream(request, instance) : try file(request, instance)
        }
    }

    private struct GetRequest {
        let key: ObjectKey
        let label: String
        let offset: Int64?
        let length: Int64?
        let isRangeSent: Bool

        /// How many bytes the plugin will write, when that is known.
        var expected: Int64? { isRangeSent ? length : nil }

        func parameters(_ path: SpoolPath) -> StorageGetParameters {
            // Neither for the whole object, so that a plugin without ranges sees what it knows.
            let isWhole = !isRangeSent || (offset ?? 0 == 0 && length == nil)
            return StorageGetParameters(
                key: key, path: path, offset: isWhole ? nil : offset ?? 0, length: isWhole ? nil : length)
        }
    }

    private func getOptions(_ request: GetRequest, idle: Duration?) -> CallOptions {
        let deadlines = session.context.deadlines
        let size = request.expected ?? description.limits.maxObjectSize ?? Self.maximumUnknownByteCount
        return options(request.label, hard: deadlines.transfer(size), idle: idle)
    }

    private func file(_ request: GetRequest, _ instance: PluginInstance) throws -> [UInt8] {
        let path = instance.spool.nextOutputPath()
        guard let spoolPath = SpoolPath(path) else { throw PluginHostError.unusableSpoolPath(path) }
        let idle = description.features.progress ? session.context.deadlines.transferIdle : nil
        let options = getOptions(request, idle: idle)
        // Not before the answer or the end of the process: `call` returns only then.
        defer { unlink(path) }
        let result = try instance.call(StorageGet.self, request.parameters(spoolPath), options)
        return try fileBytes(path, request, announced: result.size)
    }

    private func fileBytes(_ path: String, _ request: GetRequest, announced: Int64) throws -> [UInt8] {
        do {
            let file = try SpoolFile(path)
            guard file.size == announced else {
                throw SpoolFileProblem("announced \(announced) bytes and wrote \(file.size)")
            }
            let range = try self.range(request, size: announced)
            return try file.bytes(offset: range.offset, count: range.count)
        } catch let problem as SpoolFileProblem {
            throw PluginHostError.integrity(session.subject, request: request.label, problem.description)
        }
    }

    /// Which part of what the plugin wrote was asked for.
    private func range(_ request: GetRequest, size: Int64) throws -> (offset: Int64, count: Int) {
        if request.isRangeSent {
            if let length = request.length, length != size {
                throw SpoolFileProblem("was asked for \(length) bytes and announced \(size)")
            }
            return (0, Int(size))
        }
        let offset = request.offset ?? 0
        let (end, overflow) = offset.addingReportingOverflow(request.length ?? max(0, size - offset))
        guard !overflow, end <= size, offset <= size else {
            throw PluginHostError.rangeBeyondEnd(session.subject, request: request.label, size: size)
        }
        return (offset, Int(end - offset))
    }

    private func stream(_ request: GetRequest, _ instance: PluginInstance) throws -> [UInt8] {
        let path = instance.spool.nextOutputPath()
        guard let spoolPath = SpoolPath(path) else { throw PluginHostError.unusableSpoolPath(path) }
        var input: StreamInput
        let wake: EventDescriptor
        do {
            wake = try EventDescriptor()
            input = try StreamInput(path)
        } catch { throw PluginHostError.spool("no FIFO can be made for \(request.label)", cause: error) }
        defer { input.remove() }

        let options = getOptions(request, idle: session.context.deadlines.transferIdle)
        var received = ReceivedBytes(
            expected: request.expected.map { Int(clamping: $0) }, maximum: Int(Self.maximumUnknownByteCount))
        let call = try instance.begin(.storageGet, request.parameters(spoolPath), options, wake: wake)
        let answer = try instance.finish(
            call, options,
            pause: { limit in
                guard input.wait(limit, wake: wake) else { return }
                if received.read(input.number) > 0 {
                    input.noteBytes()
                    call.touch()
                }
                if received.isOverfull { instance.process.stop(.terminate, Self.surplus(request.label, received)) }
            })
        let announced = try instance.decode(StorageGet.self, answer, options).size
        drain(&received, &input, wake, upTo: announced)
        if received.isOverfull {
            throw PluginHostError.integrity(
                session.subject, request: request.label, "wrote more than the \(announced) bytes it announced")
        }
        // Some tools write a temporary file and rename it over the FIFO.
        if received.bytes.isEmpty, announced > 0 {
            return try fileBytes(path, request, announced: announced)
        }
        guard received.bytes.count == announced else {
            throw PluginHostError.integrity(
                session.subject, request: request.label,
                "announced \(announced) bytes and wrote \(received.bytes.count)")
        }
        do {
            let range = try self.range(request, size: announced)
            guard range.count < received.bytes.count else { return received.bytes }
            return Array(received.bytes[Int(range.offset)..<Int(range.offset) + range.count])
        } catch let problem as SpoolFileProblem {
            throw PluginHostError.integrity(session.subject, request: request.label, problem.description)
        }
    }

    /// Reads what is still in the pipe after the answer came, and looks for bytes too many.
    private func drain(
        _ received: inout ReceivedBytes, _ input: inout StreamInput, _ wake: EventDescriptor, upTo announced: Int64
    ) {
        let limit = ContinuousClock.now + session.context.deadlines.drain
        while true {
            // Once more after the last byte: that is where a surplus shows.
            while received.read(input.number) > 0 { input.noteBytes() }
            let now = ContinuousClock.now
            // The plugin has answered; only a child that it left behind may still be writing.
            guard received.bytes.count < announced, !received.isOverfull, !received.isAtEnd, now < limit else { return }
            _ = input.wait(limit - now, wake: wake)
        }
    }

    private static func surplus(_ label: String, _ received: ReceivedBytes) -> ProcessFailure {
        ProcessFailure(
            code: .protocolViolation,
            sentence: "wrote more than the \(received.maximumByteCount) bytes that were asked for (\(label))")
    }
}

extension PluginHostError {
    /// As a plugin with ranges would have answered.
    static func rangeBeyondEnd(_ subject: PluginSubject, request: String, size: Int64) -> PluginHostError {
        .remote(
            subject, request: request,
            error: RPCError(.invalidRange, "the range reaches beyond the \(size) bytes of the object"))
    }
}
