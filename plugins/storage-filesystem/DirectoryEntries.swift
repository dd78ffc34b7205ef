import Glibc
import PluginKit

/// One name in a directory.
struct DirectoryEntry {
    /// What the directory itself says about the type of an entry; many file systems say nothing.
    enum Kind {
        case file, directory, other, unknown
    }

    let name: String
    let kind: Kind
}

enum DirectoryEntries {
    /// All names but `.` and `..`, in no order. Names that are not UTF-8 are left out: they are nobody's keys.
    ///
    /// - Throws: `PluginFailure` when the directory cannot be read to its end.
    static func read(_ directory: borrowing Descriptor, naming path: String) throws -> [DirectoryEntry] {
        // A descriptor of its own, because the position in a directory belongs to the open file.
        guard let copy = try Descriptor.open(".", in: directory.number, flags: O_RDONLY, naming: path) else {
            return []
        }
        let duplicate = dup(copy.number)
        guard duplicate >= 0, let stream = fdopendir(duplicate) else {
            throw PluginFailure.system("read the directory '\(path)'", errno: errno)
        }
        defer { closedir(stream) }
        var entries: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw PluginFailure.system("read the directory '\(path)'", errno: errno) }
                return entries
            }
            guard let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) else { return entries }
            let start = UnsafeRawPointer(entry) + offset
            // readdir(3) ends every name with a NUL within the entry.
            let bytes = UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))
            guard let name = String(validating: bytes, as: UTF8.self), name != ".", name != ".." else { continue }
            entries.append(DirectoryEntry(name: name, kind: kind(of: entry.pointee.d_type)))
        }
    }

    private static func kind(of type: UInt8) -> DirectoryEntry.Kind {
        switch Int(type) {
        case DT_REG: .file
        case DT_DIR: .directory
        case DT_UNKNOWN: .unknown
        default: .other
        }
    }
}
