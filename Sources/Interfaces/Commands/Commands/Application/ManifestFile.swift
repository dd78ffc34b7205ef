import Glibc
import HostServices
import SnapshotModel

/// Reads and validates an application.yaml.
enum ManifestFile {
    /// - Throws: ``CommandExit`` with every issue on a line of its own.
    static func read(_ path: String) throws -> (text: String, path: String, manifest: ApplicationManifest) {
        let absolute = try StatePaths.absolute(path)
        guard let file = fopen(absolute, "r") else {
            throw ServiceError(.inaccessible, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while bytes.count < 1 << 20 {
            let count = fread(&part, 1, part.count, file)
            if count == 0 { break }
            bytes += part[0..<count]
        }
        guard ferror(file) == 0, bytes.count < 1 << 20 else {
            throw ServiceError(.inaccessible, "\(path) cannot be read as an application.yaml.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandExit(code: .usage, message: "\(path) is not UTF-8.")
        }
        do { return (text, absolute, try ApplicationManifest.parse(text)) } catch {
            throw CommandExit(code: .usage, message: error.description(file: path))
        }
    }
}
