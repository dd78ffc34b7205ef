import CLinux
import Glibc
import PluginKit

extension FilesystemStore {
    /// What stands under a name that was to be new.
    private enum Existing {
        /// The same bytes: the put is done.
        case same
        /// Other bytes, which may be replaced.
        case replaceable
        /// Nothing any more: somebody removed it in between.
        case gone
    }

    /// Somebody who removes and stores one key all the time cannot keep a put busy for ever.
    private static let maximumAttempts = 16

    func put(_ parameters: StoragePutParameters, _ call: CallContext) throws -> PutResult {
        try requireWritable()
        let key = parameters.key
        guard
            let source = try Descriptor.open(
                parameters.path.text, flags: O_RDONLY | O_NONBLOCK, naming: parameters.path.text)
        else { throw PluginFailure.unavailable("the file '\(parameters.path)' that is to be stored is missing") }
        let status = try source.status(naming: parameters.path.text)
        guard status.isRegularFile, status.byteCount == parameters.size else {
            throw PluginFailure.integrity(
                "the file '\(parameters.path)' has \(status.byteCount) bytes, not the \(parameters.size) of '\(key)'")
        }
        let parent = try makeParent(of: key)
        if status.mode & 0o7777 == 0o400, status.uid == geteuid() {
            // The data before the name: what is seen is whole, also after a power cut.
            try source.synchronize(naming: parameters.path.text)
            if let result = try link(source, parameters, into: parent, call) { return result }
        }
        return try copy(source, parameters, into: parent, call)
    }

    /// - Returns: nil when the file system cannot link here, so that a copy is needed.
    private func link(
        _ source: borrowing Descriptor, _ parameters: StoragePutParameters, into parent: borrowing Descriptor,
        _ call: CallContext
    ) throws -> PutResult? {
        let key = parameters.key
        for _ in 0..<Self.maximumAttempts {
            if linkat(AT_FDCWD, parameters.path.text, parent.number, key.lastSegment, 0) == 0 {
                try parent.synchronize(naming: path(of: key))
                return PutResult(size: parameters.size)
            }
            if Self.meansNoLinks(errno) { return nil }
            guard errno == EEXIST else { throw PluginFailure.system("store '\(path(of: key))'", errno: errno) }
            switch try examineExisting(source, parameters, in: parent, call) {
            case .same: return PutResult(size: parameters.size, existed: true)
            case .gone: continue
            case .replaceable:
                let temporary = try temporaries.directory(in: try base.open())
                let name = temporaries.uniqueName()
                guard linkat(AT_FDCWD, parameters.path.text, temporary.number, name, 0) == 0 else { return nil }
                try replace(key, in: parent, by: name, in: temporary)
                return PutResult(size: parameters.size)
            }
        }
        throw busy(key)
    }

    /// Errors of link(2) after which a copy may still work.
    private static func meansNoLinks(_ code: Int32) -> Bool {
        [EXDEV, EPERM, EMLINK, ENOSYS, EOPNOTSUPP, ENOTSUP, EACCES].contains(code)
    }

    private func copy(
        _ source: borrowing Descriptor, _ parameters: StoragePutParameters, into parent: borrowing Descriptor,
        _ call: CallContext
    ) throws -> PutResult {
        let key = parameters.key
        let temporary = try temporaries.directory(in: try base.open())
        let name = temporaries.uniqueName()
        let flags = O_WRONLY | O_CREAT | O_EXCL
        guard
            let target = try Descriptor.open(
                name, in: temporary.number, flags: flags, mode: 0o400, naming: path(of: key))
        else { throw PluginFailure.unavailable("the directory '\(Temporaries.directoryName)' was removed") }
        // Gone already when it was moved into its place.
        defer { _ = unlinkat(temporary.number, name, 0) }
        try FileCopy.copy(source, to: target, parameters, call)
        try target.synchronize(naming: path(of: key))
        for _ in 0..<Self.maximumAttempts {
            if try place(name, in: temporary, as: key, in: parent) {
                try parent.synchronize(naming: path(of: key))
                return PutResult(size: parameters.size)
            }
            switch try examineExisting(source, parameters, in: parent, call) {
            case .same: return PutResult(size: parameters.size, existed: true)
            case .gone: continue
            case .replaceable:
                try replace(key, in: parent, by: name, in: temporary)
                return PutResult(size: parameters.size)
            }
        }
        throw busy(key)
    }

    /// Moves a temporary to its name.
    ///
    /// - Returns: false when something has that name.
    private func place(
        _ name: String, in temporary: borrowing Descriptor, as key: ObjectKey, in parent: borrowing Descriptor
    ) throws -> Bool {
        if clinux_rename_noreplace(temporary.number, name, parent.number, key.lastSegment) == 0 { return true }
        if errno == EEXIST { return false }
        guard errno == EINVAL || errno == ENOSYS || errno == ENOTSUP else {
            throw PluginFailure.system("store '\(path(of: key))'", errno: errno)
        }
        // File systems without RENAME_NOREPLACE (NFS among them) have links instead.
        if linkat(temporary.number, name, parent.number, key.lastSegment, 0) == 0 { return true }
        if errno == EEXIST { return false }
        throw PluginFailure.system("store '\(path(of: key))'", errno: errno)
    }

    /// - Throws: `conflict` when there are other bytes, which `parameters` say must be kept.
    private func examineExisting(
        _ source: borrowing Descriptor, _ parameters: StoragePutParameters, in parent: borrowing Descriptor,
        _ call: CallContext
    ) throws -> Existing {
        let key = parameters.key
        guard
            let existing = try Descriptor.open(
                key.lastSegment, in: parent.number, flags: O_RDONLY | O_NONBLOCK, naming: path(of: key))
        else { return .gone }
        guard try existing.status(naming: path(of: key)).isRegularFile else {
            throw PluginFailure(.conflict, "'\(path(of: key))' cannot be stored: there is a directory of that name")
        }
        guard try FileCopy.isEqual(source, existing, call) else {
            if parameters.ifAbsent { throw PluginFailure.conflict(key) }
            return .replaceable
        }
        // It may be left from a call whose last step was cut off.
        try existing.synchronize(naming: path(of: key))
        try parent.synchronize(naming: path(of: key))
        return .same
    }

    private func replace(
        _ key: ObjectKey, in parent: borrowing Descriptor, by name: String, in temporary: borrowing Descriptor
    ) throws {
        guard renameat(temporary.number, name, parent.number, key.lastSegment) == 0 else {
            let code = errno
            _ = unlinkat(temporary.number, name, 0)
            throw PluginFailure.system("replace '\(path(of: key))'", errno: code)
        }
        // rename(2) does nothing when both names are links to one file; then the temporary is still there.
        _ = unlinkat(temporary.number, name, 0)
        try parent.synchronize(naming: path(of: key))
    }

    private func busy(_ key: ObjectKey) -> PluginFailure {
        PluginFailure.unavailable("'\(path(of: key))' is removed as soon as it is stored, by somebody else")
    }
}
