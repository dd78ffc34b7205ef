/// A program to run in a process group of its own, with an end in every case: its exit, a timeout, or a stop.
package struct Command: Sendable {
    /// Where the bytes of a standard stream come from or go to.
    package enum Stream: Sendable {
        /// Input: none, from /dev/null. Output: line by line to the caller.
        case lines
        /// All of it copied from or to an open descriptor, which stays the caller's and must not block.
        case copied(Int32)
    }

    /// The program and its arguments; a name without `/` is looked up in `PATH`.
    package var arguments: [String]
    /// All variables of the program.
    package var environment: [String: String]
    /// An absolute path; nil for that of the caller.
    package var directory: String?
    /// The standard input.
    package var input = Stream.lines
    /// When input is copied: how many bytes there must be. When it ends before, the program is stopped instead of being
    /// shown the end of a part.
    package var inputByteCount: Int64?
    /// The standard output. Standard error is always lines.
    package var output = Stream.lines
    /// How long it may run; nil for ever.
    package var timeout: Duration?
    /// How long the group may take to end after SIGTERM before it gets SIGKILL.
    package var grace = Duration.seconds(3)
    /// Whether the program gets SIGTERM when the calling thread ends without having waited for it, as after SIGKILL.
    package var endsWithCaller = true

    /// A command with the defaults of the members.
    package init(_ arguments: [String], environment: [String: String], directory: String? = nil) {
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }
}

/// How a command ended.
package struct CommandOutcome: Sendable, Hashable {
    /// What ended the program itself.
    package enum Ending: Sendable, Hashable {
        /// It exited with this status.
        case exited(Int32)
        /// This signal ended it.
        case signalled(Int32)
    }

    /// Why it was stopped from here.
    package enum Stop: Sendable, Hashable {
        /// Its time was up.
        case timeout
        /// Somebody asked for it.
        case requested
        /// What reads the copy of its output went away.
        case readerGone
        /// The input that is copied to it ended too early.
        case inputTooShort
        /// The copy of its output could not be written, for the reason of this error number.
        case copyFailed(Int32)
    }

    /// How the program ended.
    package var ending: Ending
    /// Why it was stopped; nil when it ended by itself.
    package var stop: Stop?
    /// The last lines, at most 20, of what was not copied.
    package var lastLines: [String]
    /// The bytes of input that were copied to it, and of output that were copied from it.
    package var copiedInput: Int64
    package var copiedOutput: Int64

    /// Whether it ended by itself with the status 0.
    package var isSuccess: Bool { stop == nil && ending == .exited(0) }
}

extension CommandOutcome {
    /// Completes "the command …": "exited with 3", "was ended by signal 9".
    package var summary: String {
        switch (stop, ending) {
        case (.timeout, _): "took too long and was stopped"
        case (.requested, _): "was stopped on request"
        case (.readerGone, _): "was stopped because nobody reads its output any more"
        case (.inputTooShort, _): "was stopped because its input ended after \(copiedInput) bytes, too early"
        case (.copyFailed(let code), _):
            "was stopped because its output cannot be written: \(PluginFailure.text(of: code))"
        case (nil, .exited(let status)): "exited with \(status)"
        case (nil, .signalled(let signal)): "was ended by signal \(signal)"
        }
    }
}
