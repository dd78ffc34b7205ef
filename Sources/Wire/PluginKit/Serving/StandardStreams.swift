import CLinux
import Glibc

/// The process's standard streams, moved out of reach of everything but the protocol.
struct StandardStreams {
    /// What was standard input.
    let input: Int32
    /// What was standard output.
    let output: Int32
    /// Readable when the process is asked to end.
    let termination: Int32

    /// Keeps copies of standard input and output that programs started from here do not get, points standard input at
    /// /dev/null and standard output at standard error. Nil when one of them is closed.
    static func takeOver() -> StandardStreams? {
        let input = clinux_fcntl(0, F_DUPFD_CLOEXEC, 3)
        let output = clinux_fcntl(1, F_DUPFD_CLOEXEC, 3)
        let null = clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        guard input >= 0, output >= 0, null >= 0 else { return nil }
        dup2(null, 0)
        // Without a standard error, what is printed goes nowhere.
        dup2(clinux_fcntl(2, F_GETFD, 0) >= 0 ? 2 : null, 1)
        if null > 2 { close(null) }
        clinux_survive_broken_pipes()
        return StandardStreams(input: input, output: output, termination: clinux_termination_descriptor())
    }

    /// Writes to standard error, as far as that works.
    static func writeError(_ text: String) {
        var text = text
        _ = text.withUTF8 { write(2, $0.baseAddress, $0.count) }
    }
}
