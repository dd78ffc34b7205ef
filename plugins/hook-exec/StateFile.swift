import CLinux
import Glibc
import PluginKit

/// A file in which the command of a pre event may leave a text for that of the post event.
struct StateFile {
    let path: String

    /// Makes an empty file; nil when the directory does not allow it, and then there is no state.
    init?(in directory: String) {
        var template = Array("\(directory)/state-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        close(descriptor)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Reads the text and removes the file.
    ///
    /// - Returns: nil when nothing was written.
    /// - Throws: `PluginFailure` `hookFailed` when it is too long or not UTF-8.
    func take() throws -> String? {
        defer { unlink(path) }
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: HookRunResult.maximumStateByteCount + 1)
        var count = 0
        while count < bytes.count {
            let result = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            guard result > 0 else { break }
            count += result
        }
        if count == 0 { return nil }
        guard count <= HookRunResult.maximumStateByteCount else {
            throw PluginFailure.hookFailed(
                "the command left more than \(HookRunResult.maximumStateByteCount) bytes in STILLPOINT_STATE_FILE")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self), !text.utf8.contains(0) else {
            throw PluginFailure.hookFailed("what the command left in STILLPOINT_STATE_FILE is not UTF-8 text")
        }
        return text
    }
}
