import JSONRPC
package import ObjectStorage
package import PluginHost
import PluginProtocol
import Synchronization

/// A storage plugin as the repository sees it: the one place where both worlds meet.
package final class PluginObjectStore: ObjectStore {
    private let plugin: StoragePlugin
    private let reopen: (@Sendable () throws -> StoragePlugin)?
    /// Opened after a cancel, so that what has to be tidied up can be.
    private let second = Mutex<StoragePlugin?>(nil)

    /// - Parameters:
    ///   - plugin: closed by the caller.
    ///   - reopen: opens the same storage without the run's cancellation, which stops every call of `plugin`: a run that
    ///     was cancelled still has to remove its lock. Nil when nothing is locked.
    package init(_ plugin: StoragePlugin, reopen: (@Sendable () throws -> StoragePlugin)? = nil) {
        self.plugin = plugin
        self.reopen = reopen
    }

    /// Ends what was opened here.
    package func close() {
        second.withLock { plugin in
            plugin?.close()
            plugin = nil
        }
    }

    package var spoolDirectory: String { plugin.spoolIn }

    package var connectionCount: Int {
        let limits = plugin.description.limits
        return max(1, min(8, Int(clamping: limits.maxInflight * limits.maxInstances)))
    }

    package func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        try mapped(key) {
            _ = try plugin.put(
                key: key, size: file.size, sha256: file.sha256, path: file.path,
                ifAbsent: ifAbsent && plugin.description.features.ifAbsent != .none)
        }
    }

    package func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] {
        try mapped(key) {
            try plugin.get(key: key, offset: range?.lowerBound, length: range.map { $0.upperBound - $0.lowerBound })
        }
    }

    package func size(of key: String) throws -> Int64 { try mapped(key) { try plugin.stat(key: key).size } }

    package func list(prefix: String) throws -> [StoredObject] {
        try mapped(prefix) { try plugin.list(prefix: prefix).map { StoredObject(key: $0.key.text, size: $0.size) } }
    }

    package func delete(_ key: String) throws {
        try mapped(key) {
            do { try plugin.delete(key: key) } catch let error as PluginHostError where error.code == .cancelled {
                guard let again = try reopened() else { throw error }
                try again.delete(key: key)
            }
        }
    }

    private func reopened() throws -> StoragePlugin? {
        try second.withLock { plugin in
            plugin = try plugin ?? reopen?()
            return plugin
        }
    }

    private func mapped<Result>(_ key: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as PluginHostError {
            throw ObjectStoreError(code: Self.code(of: error), message: error.description, cause: error)
        }
    }

    private static func code(of error: PluginHostError) -> ObjectStoreError.Code {
        switch error.code {
        case .cancelled: return .cancelled
        case .integrity: return .integrity
        case .remote: break
        default: return .unavailable
        }
        return switch error.remote?.code {
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalidRange: .invalidRange
        case .permissionDenied, .unauthenticated, .retained: .permissionDenied
        case .noSpace: .noSpace
        case .integrity: .integrity
        case .cancelled: .cancelled
        default: .unavailable
        }
    }
}
