import CLinux
import Glibc
package import PluginProtocol

/// Finds plugins by absolute path, or by name in the plugin directories.
///
/// A directory is never searched for anything but exact names, and nothing in it is started to find out what it is.
package struct PluginLocator: Sendable {
    /// Absolute paths, searched in this order.
    package let directories: [String]

    package init(directories: [String]) { self.directories = directories }

    /// Finds the executable of one plugin.
    ///
    /// - Parameters:
    ///   - nameOrPath: an absolute path, or a name NAME: then `stillpoint-KIND-NAME` is looked for in each directory and
    ///     after that `stillpoint-NAME`. The first file that exists is taken, fit or not.
    ///   - arguments: given to the executable on its command line.
    /// - Throws: ``PluginHostError``: `notFound` with all places searched, `unsafeExecutable` with the reason.
    package func locate(
        _ kind: PluginKind, _ nameOrPath: String, arguments: [String] = []
    ) throws -> PluginReference {
        if nameOrPath.hasPrefix("/") {
            let file = String(nameOrPath.split(separator: "/").last ?? "")
            return try checked(
                PluginReference(
                    kind: kind, name: Self.strippedName(file), executable: nameOrPath, arguments: arguments))
        }
        guard Self.isName(nameOrPath) else { throw PluginHostError.unusableName(nameOrPath, kind: kind) }
        let candidates = ["stillpoint-\(kind.rawValue)-\(nameOrPath)", "stillpoint-\(nameOrPath)"].flatMap { file in
            directories.map { "\($0)/\(file)" }
        }
        for path in candidates where access(path, F_OK) == 0 {
            return try checked(
                PluginReference(kind: kind, name: nameOrPath, executable: path, arguments: arguments))
        }
        throw PluginHostError.notFound(nameOrPath, kind: kind, searched: candidates)
    }

    /// Lists what is in the plugin directories, in the order of their names; a file that an earlier directory hides is
    /// left out. Nothing is started.
    package func discover() -> [PluginDiscovery] {
        var found: [String: PluginDiscovery] = [:]
        for directory in directories {
            for file in Self.fileNames(in: directory) where found[file] == nil {
                let path = "\(directory)/\(file)"
                // A directory of such a name is something else: build products lie beside the programs they made.
                guard let (kind, name) = Self.parsed(file), !Self.isDirectory(path) else { continue }
                let objection = ExecutableCheck.objection(to: path)
                found[file] = PluginDiscovery(
                    name: name, kind: kind, executable: path,
                    problem: objection.map { PluginHostError.unsafeExecutable(name: name, path: path, reason: $0) })
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    private func checked(_ reference: PluginReference) throws -> PluginReference {
        guard access(reference.executable, F_OK) == 0 else {
            throw PluginHostError.notFound(
                reference.executable, kind: reference.kind, searched: [reference.executable])
        }
        if let reason = ExecutableCheck.objection(to: reference.executable) {
            throw PluginHostError.unsafeExecutable(name: reference.name, path: reference.executable, reason: reason)
        }
        return reference
    }

    private static func strippedName(_ file: String) -> String { parsed(file)?.name ?? file }

    private static func parsed(_ file: String) -> (kind: PluginKind?, name: String)? {
        let prefix = "stillpoint-"
        guard file.hasPrefix(prefix) else { return nil }
        let rest = String(file.dropFirst(prefix.count))
        if let dash = rest.firstIndex(of: "-"), let kind = PluginKind(rawValue: String(rest[..<dash])) {
            let name = String(rest[rest.index(after: dash)...])
            return isName(name) ? (kind, name) : nil
        }
        return isName(rest) ? (nil, rest) : nil
    }

    /// Letters, digits, `.`, `_`, `-`, not starting with a dot.
    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "."), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = clinux_stat()
        return clinux_lstatat(AT_FDCWD, path, &status) == 0 && status.mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory; a directory that is missing or cannot be read has none.
    private static func fileNames(in directory: String) -> [String] {
        DirectoryListing.names(in: directory)
    }
}
