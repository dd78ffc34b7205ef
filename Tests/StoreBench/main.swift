import Archiving
import CLinux
import Glibc
import JSON
import Logging
import ObjectStorage
import Pipelines
import PluginHost
import PluginProtocol
import Repository
import RepositoryCrypto
import RepositoryFormat
import TestSupport
import Threads

/// One first backup of a tree, through the filesystem plugin or into the same directory layout in process: the
/// difference is what the plugin boundary costs. `scripts/bench boundary` runs both in pairs.
///
/// usage: store-bench plugin|process PLACE TREE
struct StoreBench: ArchiveObserver {
    func warning(path: String, message: String) { print("\(path): \(message)") }

    func run(_ side: String, place: String, tree: String) throws {
        mkdir(place, 0o700)
        let repository = "\(place)/repository"
        switch side {
        case "process": try backup(tree, DirectoryObjectStore(root: repository, isDurable: true))
        case "plugin":
            mkdir("\(place)/spool", 0o700)
            let supervisor = try PluginSupervisor(
                configuration: PluginHostConfiguration(spoolRoot: "\(place)/spool", hostVersion: "0"),
                logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }))
            defer { supervisor.shutdown() }
            let reference = try PluginLocator(directories: [Self.ownDirectory()]).locate(.storage, "filesystem")
            let plugin = try supervisor.openStorage(
                reference, instance: "bench", mode: .readWrite,
                config: ["path": .string(repository), "create": true], cancellation: Cancellation())
            defer { plugin.close() }
            try backup(tree, PluginObjectStore(plugin))
        default: throw FormatError("side", "it is 'plugin' or 'process', not '\(side)'")
        }
    }

    private func backup(_ tree: String, _ store: any ObjectStore) throws {
        let repository = try OpenRepository.initialize(
            store, password: Array("bench".utf8),
            identity: Identity(hostname: "bench", username: "bench", uid: 0, gid: 0), now: Timestamp(seconds: 0),
            derivation: KeyDerivation(cost: 16, blockSize: 1, parallelism: 1))
        let archiver = try Archiver(repository, observer: self, cancellation: Cancellation())
        let node = try archiver.archive(path: tree, as: "tree")
        let root = try archiver.saveTree([node])
        try archiver.finish()
        _ = try repository.save(
            SnapshotRecord(time: Timestamp(seconds: 0), tree: root, paths: [tree], hostname: "bench"))
    }

    private static func ownDirectory() -> String {
        var link = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &link, link.count))
        let path = String(decoding: link[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    print("usage: store-bench plugin|process PLACE TREE")
    exit(2)
}
do {
    try StoreBench().run(arguments[1], place: arguments[2], tree: arguments[3])
} catch {
    print(error)
    exit(1)
}
