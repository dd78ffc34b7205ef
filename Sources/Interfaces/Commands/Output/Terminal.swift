import CLinux
import Glibc
import HostServices
import Synchronization
import Threads

/// Where results, remarks and progress go: results to standard output, everything else to standard error.
final class Terminal: Sendable {
    let isJSON: Bool
    let isQuiet: Bool
    private let usesColour: Bool
    /// True when progress can be redrawn in place.
    let isInteractive: Bool
    private let progressLine = Mutex(false)

    init(isJSON: Bool, isQuiet: Bool, noColor: Bool, environment: Environment) {
        self.isJSON = isJSON
        self.isQuiet = isQuiet
        isInteractive = isatty(2) == 1 && !isJSON && !isQuiet && environment["TERM"] != "dumb"
        usesColour = isInteractive && !noColor && environment["NO_COLOR"] == nil
    }

    /// A line of the result.
    func result(_ text: String) { write(text + "\n", to: 1) }

    /// Bytes of the result, as they are.
    func result(bytes: [UInt8]) { write(bytes, to: 1) }

    /// A line that explains; not with `--quiet` or `--json`.
    func remark(_ text: String) {
        guard !isQuiet, !isJSON else { return }
        line(text)
    }

    /// A warning; shown also with `--quiet`, and as JSON with `--json`.
    func warning(_ text: String) {
        if isJSON { return line(JSONLine.message("warning", text)) }
        line(coloured("warning: ", "33") + Self.printable(text))
    }

    /// An error, the last thing that a command says.
    func error(_ text: String, code: Int32) {
        if isJSON { return line(JSONLine.exitError(code: code, text)) }
        line(coloured("error: ", "31") + Self.printable(text))
    }

    /// How a command is used, after a wrong one.
    func usage(_ text: String) {
        if isJSON { return line(JSONLine.exitError(code: 2, text)) }
        line(Self.printable(text))
    }

    /// Redraws the line of progress; nil removes it.
    func progress(_ text: String?) {
        guard isInteractive else { return }
        progressLine.withLock { isShown in
            if let text {
                let columns = Int(clinux_window_columns(2))
                let cut = columns > 10 ? String(text.prefix(columns - 1)) : text
                write("\r\u{1B}[K" + cut, to: 2)
                isShown = true
            } else if isShown {
                write("\r\u{1B}[K", to: 2)
                isShown = false
            }
        }
    }

    private func line(_ text: String) {
        progressLine.withLock { isShown in
            write((isShown ? "\r\u{1B}[K" : "") + text + "\n", to: 2)
            isShown = false
        }
    }

    func coloured(_ text: String, _ code: String) -> String { usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

    /// Text without characters that would move the cursor: names of files are not ours.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\n" }) else {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
                    guard scalar.properties.generalCategory == .control, scalar != "\n" else { return [scalar] }
                    return Array("\\x\(String(scalar.value, radix: 16))".unicodeScalars)
                }))
    }

    /// The same for what has to stay on one line: paths, one a line.
    static func printableLine(_ text: String) -> String {
        printable(text).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\xa")
    }

    private func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    private func write(_ bytes: [UInt8], to descriptor: Int32) {
        var position = 0
        bytes.withUnsafeBytes { bytes in
            while position < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + position }, bytes.count - position)
                if count < 0, errno == EINTR { continue }
                // A reader that went away is not our failure; the exit code still tells.
                guard count > 0 else { return }
                position += count
            }
        }
    }

    /// Asks a question on the terminal.
    ///
    /// - Parameter echo: whether what is typed is shown.
    /// - Returns: the line without its end; nil when there is no terminal, or its input has ended.
    /// - Throws: `CancellationFailure` after Ctrl-C; the terminal is as it was then, too.
    static func ask(_ question: String, echo: Bool, _ cancellation: Cancellation) throws -> String? {
        let descriptor = clinux_open("/dev/tty", O_RDWR | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var saved = termios()
        guard tcgetattr(descriptor, &saved) == 0 else { return nil }
        var silent = saved
        if !echo {
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(descriptor, TCSAFLUSH, &silent)
        }
        defer {
            if !echo {
                tcsetattr(descriptor, TCSAFLUSH, &saved)
                _ = Glibc.write(descriptor, "\n", 1)
            }
        }
        _ = question.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        var bytes: [UInt8] = []
        while true {
            try cancellation.check()
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 100) == 1 else { continue }
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
            if byte == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }
}
