import CLinux
import Glibc
import PluginKit

extension FilesystemStore {
    func list(_ parameters: StorageListParameters, _ call: CallContext) throws -> ListPage {
        var page = PageBuilder(parameters)
        try collect(try base.open(), "", into: &page, call)
        return page.page
    }

    /// Visits a directory in the byte order of the keys below it.
    private func collect(
        _ directory: borrowing Descriptor, _ prefix: String, into page: inout PageBuilder, _ call: CallContext
    ) throws {
        try call.checkCancellation()
        var names: [(sortKey: String, entry: DirectoryEntry)] = []
        for entry in try DirectoryEntries.read(directory, naming: base.path + "/" + prefix) {
            guard ObjectKey.isWellFormed(prefix + entry.name) else { continue }
            switch try resolvedKind(of: entry, in: directory.number, prefix) {
            case .file where page.wants(file: prefix + entry.name): names.append((entry.name, entry))
            // A directory stands where its first key stands: "a-b" comes before "a/x", though "a" is shorter.
            case .directory where page.wants(directory: prefix + entry.name + "/"):
                names.append((entry.name + "/", DirectoryEntry(name: entry.name, kind: .directory)))
            default: continue
            }
        }
        names.sort { $0.sortKey.utf8.lexicographicallyPrecedes($1.sortKey.utf8) }
        for (_, entry) in names {
            if page.isComplete { return }
            if entry.kind == .directory {
                let flags = O_RDONLY | CLINUX_O_DIRECTORY
                let path = prefix + entry.name
                guard let child = try Descriptor.open(entry.name, in: directory.number, flags: flags, naming: path)
                else { continue }
                try collect(child, path + "/", into: &page, call)
            } else {
                try add(entry.name, prefix, in: directory.number, into: &page)
            }
        }
    }

    private func resolvedKind(
        of entry: DirectoryEntry, in directory: Int32, _ prefix: String
    ) throws -> DirectoryEntry.Kind {
        guard entry.kind == .unknown else { return entry.kind }
        guard let status = try status(of: entry.name, in: directory, prefix) else { return .other }
        return status.isRegularFile ? .file : status.isDirectory ? .directory : .other
    }

    private func add(_ name: String, _ prefix: String, in directory: Int32, into page: inout PageBuilder) throws {
        guard let key = ObjectKey(prefix + name), let status = try status(of: name, in: directory, prefix),
            status.isRegularFile
        else { return }
        page.add(ListedObject(key: key, size: status.byteCount, modified: status.modifiedMilliseconds))
    }

    /// Nil when the file was removed meanwhile.
    private func status(of name: String, in directory: Int32, _ prefix: String) throws -> clinux_stat? {
        var status = clinux_stat()
        if clinux_lstatat(directory, name, &status) == 0 { return status }
        if errno == ENOENT { return nil }
        throw PluginFailure.system("examine '\(base.path)/\(prefix)\(name)'", errno: errno)
    }
}

/// Collects one page of keys that come in byte order; pure.
struct PageBuilder {
    private let parameters: StorageListParameters
    private var entries: [ListedObject] = []
    private var hasMore = false

    init(_ parameters: StorageListParameters) { self.parameters = parameters }

    /// True once it is known that another page follows.
    var isComplete: Bool { hasMore }

    /// Whether a key belongs to this page or a later one.
    func wants(file key: String) -> Bool { key.hasBytePrefix(parameters.prefix.text) && isAfterCursor(key) }

    /// Whether keys below a directory, given with its trailing slash, can belong to this page or a later one.
    func wants(directory: String) -> Bool {
        guard directory.hasBytePrefix(parameters.prefix.text) || parameters.prefix.text.hasBytePrefix(directory) else {
            return false
        }
        guard let cursor = parameters.cursor?.text else { return true }
        return cursor.hasBytePrefix(directory) || isAfterCursor(directory)
    }

    /// The cursor is the last key of the page before.
    private func isAfterCursor(_ text: String) -> Bool {
        guard let cursor = parameters.cursor?.text else { return true }
        return cursor.utf8.lexicographicallyPrecedes(text.utf8)
    }

    mutating func add(_ object: ListedObject) {
        guard entries.count < parameters.limit else {
            hasMore = true
            return
        }
        entries.append(object)
    }

    var page: ListPage {
        ListPage(entries: entries, cursor: hasMore ? entries.last.flatMap { ListCursor($0.key.text) } : nil)
    }
}

extension String {
    fileprivate func hasBytePrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}
