import Foundation

/// A text that stands in a file beside the tests and is read in review.
///
/// `STILLPOINT_RECORD_GOLDEN=1` writes the files anew instead of comparing.
package enum GoldenFile {
    /// The text that `name` is expected to have: the file `Golden/NAME` beside the calling test file or one directory
    /// above. When recording, `actual` is written there and returned; without it the file is only read.
    ///
    /// - Throws: when there is no such file.
    package static func text(_ name: String, actual: String? = nil, testFile: String = #filePath) throws -> String {
        let folder = URL(fileURLWithPath: testFile).deletingLastPathComponent()
        let candidates = [folder, folder.deletingLastPathComponent()].map {
            $0.appendingPathComponent("Golden/\(name)")
        }
        let isRecording = ProcessInfo.processInfo.environment["STILLPOINT_RECORD_GOLDEN"] == "1"
        guard isRecording, let actual else {
            let existing = candidates.first { FileManager.default.fileExists(atPath: $0.path) }
            return try String(contentsOf: existing ?? candidates[0], encoding: .utf8)
        }
        let file = candidates.first {
            FileManager.default.fileExists(atPath: $0.deletingLastPathComponent().path)
        }
        try actual.write(to: file ?? candidates[0], atomically: true, encoding: .utf8)
        return actual
    }
}
