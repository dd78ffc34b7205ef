import Archiving

/// Tells what happens to an entry by the path where it belongs, not by that where it is built.
struct StagingObserver: RestoreObserver {
    let recorder: RunRecorder
    let stage: String
    let target: String

    func warning(path: String, message: String) { recorder.warning(path: shown(path), message: message) }
    func failure(path: String, message: String) { recorder.failure(path: shown(path), message: message) }

    private func shown(_ path: String) -> String {
        path.hasPrefix(stage) ? target + path.dropFirst(stage.count) : path
    }
}
