import Glibc

/// Runs one piece of fixed work, for counting its instructions: `instruction-counts CASE`, or nothing for a list.
///
/// Everything outside of `measured()` prepares; `scripts/instructions` lets callgrind count inside of it only.
nonisolated(unsafe) private var work: () throws -> Void = {}

/// Ends with a sentence on standard error.
func stop(_ sentence: String, _ code: Int32) -> Never {
    let line = sentence + "\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
    exit(code)
}

/// The one function in which instructions are counted; callgrind knows it by its mangled name.
@inline(never) func measured() {
    do { try work() } catch { stop("\(error)", 1) }
}

guard CommandLine.arguments.count > 1 else {
    for name in MeasuredWork.all.map(\.name) { print(name) }
    exit(0)
}
guard let chosen = MeasuredWork.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
    stop("There is no case '\(CommandLine.arguments[1])'.", 2)
}
do { work = try chosen.prepare() } catch { stop("\(error)", 1) }
// Once for what is set up on first use, such as libcrypto's tables; callgrind is told of the second run only.
try work()
measured()
