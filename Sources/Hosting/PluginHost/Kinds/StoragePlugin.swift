import CLinux
import Glibc
import JSONRPC
package import PluginProtocol

/// A store behind a plugin: names and bytes. Open it with ``PluginSupervisor/openStorage(_:instance:mode:config:cancellation:)``.
///
/// Every call blocks, is safe from many threads (which wait for each other when the plugin takes fewer requests), is
/// sent again when a process dies under it or the store is not reachable for a moment, and ends by its deadline.
package final class StoragePlugin: Sendable {
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

    /// An existing directory, mode 0700, where files for ``put(key:size:sha256:path:ifAbsent:)`` are built: near the
    /// store when the plugin asked for that, so that storing them is a link and not a copy. Names in it are the
    /// caller's, of letters, digits, `.`, `_`, `-`; so is their removal.
    package var spoolIn: String { session.shared.buildDirectory }

    /// Stores a file as an object, whole and durable.
    ///
    /// - Parameters:
    ///   - sha256: 64 hexadecimal digits.
    ///   - path: a regular file in ``spoolIn`` that is not changed any more; it is made read-only (0400), stays there,
    ///     and may become a hard link of the object.
    ///   - ifAbsent: whether an object with other bytes is a `conflict` instead of being replaced.
    /// - Throws: ``PluginHostError``; `remote` with the plugin's code.
    package func put(
        key: String, size: Int64, sha256: String, path: String, ifAbsent: Bool = false
    ) throws -> PutResult {
        let label = "\(PluginMethod.storagePut) \(key)"
        let objectKey = try self.key(key, label)
        try sealForPlugin(path, size: size, label)
        guard let spoolPath = SpoolPath(path) else { throw PluginHostError.unusableSpoolPath(path) }
        if let maximum = description.limits.maxObjectSize, size > maximum {
            var error = PluginHostError(
                .refused, "\(label) has \(size) bytes, \(session.subject.title) takes at most \(maximum)",
                subject: session.subject)
            error.request = label
            throw error
        }
        let parameters = StoragePutParameters(
            key: objectKey, size: size, sha256: sha256, path: spoolPath, ifAbsent: ifAbsent)
        // Without progress from the plugin, silence during an upload says nothing.
        let options = options(
            label, hard: session.context.deadlines.transfer(size),
            idle: description.features.progress ? session.context.deadlines.transferIdle : nil)
        return try session.perform(label, isRepeatable: true) { instance in
            let result = try instance.call(StoragePut.self, parameters, options)
            guard result.size == size else {
                throw PluginHostError.integrity(
                    session.subject, request: label, "says that it stored \(result.size) bytes of \(size)")
            }
            return result
        }
    }

    /// Size and age of an object. A missing one is `remote` with ``RPCErrorCode/notFound``.
    ///
    /// - Throws: ``PluginHostError``.
    package func stat(key: String) throws -> ObjectStat {
        let label = "\(PluginMethod.storageStat) \(key)"
        let parameters = StorageKeyParameters(key: try self.key(key, label))
        let options = options(label, hard: session.context.deadlines.short)
        return try session.perform(label, isRepeatable: true) { try $0.call(StorageStat.self, parameters, options) }
    }

    /// Removes an object; a missing one is fine.
    ///
    /// - Throws: ``PluginHostError``.
    package func delete(key: String) throws {
        let label = "\(PluginMethod.storageDelete) \(key)"
        let parameters = StorageKeyParameters(key: try self.key(key, label))
        let options = options(label, hard: session.context.deadlines.short)
        _ = try session.perform(label, isRepeatable: true) { try $0.call(StorageDelete.self, parameters, options) }
    }

    /// Has the plugin try connection and permissions; one that has no such check passes.
    ///
    /// - Throws: ``PluginHostError``.
    package func check() throws { try session.check() }

    /// Ends the plugin in order. Calls that are under way fail with `closed`.
    package func close() { session.close() }

    func options(_ label: String, hard: Duration, idle: Duration? = nil) -> CallOptions {
        CallOptions(label: label, hard: hard, idle: idle, cancellation: session.opening.cancellation)
    }

    func key(_ text: String, _ label: String) throws -> ObjectKey {
        guard let key = ObjectKey(text) else {
            throw PluginHostError(
                .invalidConfiguration,
                "'\(text)' cannot be the key of an object: letters, digits, '_', '.', '-' and '/', at most 512 bytes",
                subject: session.subject)
        }
        return key
    }

    /// Checks that the file is what it is said to be, while it is still the host's alone, and makes it read-only.
    private func sealForPlugin(_ path: String, size: Int64, _ label: String) throws {
        do {
            let file = try OwnedDescriptor.open(path, O_RDONLY | CLINUX_O_NOFOLLOW | O_NONBLOCK)
            var status = clinux_stat()
            guard clinux_fstat(file.number, &status) == 0 else { throw SystemCallFailure.last("stat \(path)") }
            guard status.mode & S_IFMT == S_IFREG, Int64(clamping: status.size) == size else {
                throw SystemCallFailure(what: "read \(path) as a file of \(size) bytes", code: EINVAL)
            }
            guard fchmod(file.number, 0o400) == 0 else { throw SystemCallFailure.last("chmod \(path)") }
        } catch { throw PluginHostError.spool("the file for \(label) cannot be used", cause: error) }
    }
}

extension PluginSession {
    /// The optional call `check`.
    func check() throws {
        let label = PluginMethod.check.name
        let options = CallOptions(
            label: label, hard: context.deadlines.short, idle: nil, cancellation: opening.cancellation)
        do {
            _ = try perform(label, isRepeatable: true) { try $0.call(Check.self, EmptyObject(), options) }
        } catch let error as PluginHostError where error.remote?.code == .methodNotFound {}
    }
}
