import Glibc
import JSON
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

/// The plugins that come with this package, to be run under the host as they are.
enum RealPlugin: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case filesystem = "stillpoint-storage-filesystem"
    case hookExec = "stillpoint-hook-exec"
    case sourceCommand = "stillpoint-source-command"
    case bash = "examples/plugins/storage-bash/stillpoint-storage-bash"
    case python = "examples/plugins/storage-python/stillpoint-storage-python"

    /// Those that store objects.
    static let storages: [RealPlugin] = [.filesystem, .bash, .python]

    var testDescription: String { rawValue }

    /// The file in the package, or where `swift build` left it beside the tests.
    private var original: String {
        if rawValue.contains("/") {
            return #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" } + "/" + rawValue
        }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/" + rawValue
    }

    /// A copy that nobody else can change, whatever the umask of the build was.
    func install(in directory: TemporaryDirectory, kind: PluginKind) throws -> PluginReference {
        let file = rawValue.split(separator: "/").last.map(String.init) ?? rawValue
        let script = ShellScript("install -m 755 '\(original)' '\(directory.path("plugins"))/\(file)'")
        #expect(mkdir(directory.path("plugins"), 0o755) == 0 || errno == EEXIST)
        #expect(try script.run(in: directory)?.output == "")
        return try PluginLocator(directories: []).locate(kind, directory.path("plugins/\(file)"))
    }
}

extension HostFixture {
    /// Opens one of the storage plugins over an empty directory `objects`.
    func storage(_ plugin: RealPlugin) throws -> StoragePlugin {
        #expect(mkdir(directory.path("objects"), 0o700) == 0 || errno == EEXIST)
        return try supervisor.openStorage(
            try plugin.install(in: directory, kind: .storage), instance: "test", mode: .readWrite,
            config: ["path": .string(directory.path("objects"))], cancellation: Cancellation())
    }
}
