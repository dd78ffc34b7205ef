import Glibc

/// The names of signals for messages.
enum SignalName {
    /// "Killed", "Segmentation fault". Source: strsignal(3).
    static func text(_ number: Int32) -> String { strsignal(number).map { String(cString: $0) } ?? "unknown" }
}
