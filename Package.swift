// swift-tools-version: 6.2
// Targets stand in the order in which data passes them; docs/Modules.md says what each is for and who may import whom.
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

func module(_ group: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(group)/\(name)")
}

func systemLibrary(_ name: String, pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Sources/SystemLibraries/\(name)", pkgConfig: pkgConfig)
}

func plugin(_ folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: "stillpoint-\(folder)", dependencies: ["PluginKit", "JSON", "PluginProtocol"] + dependencies,
        path: "plugins/\(folder)", exclude: ["README.md"])
}

func tests(_ group: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(group)Tests", dependencies: ["TestSupport"] + dependencies, path: "Tests/\(group)", exclude: exclude)
}

let package = Package(
    name: "stillpoint",
    products: [
        .executable(name: "stillpoint", targets: ["stillpoint"]),
        .library(name: "PluginKit", targets: ["PluginKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: System libraries
        systemLibrary("CJansson", pkgConfig: "jansson"),
        systemLibrary("CZstd", pkgConfig: "libzstd"),
        systemLibrary("CLibcrypto", pkgConfig: "libcrypto"),
        module("SystemLibraries", "CFingerprint"),
        module("SystemLibraries", "CLinux"),
        module("SystemLibraries", "CSpawn"),
        module("SystemLibraries", "Threads", ["CLinux"]),

        // MARK: Wire
        module("Wire", "JSON", ["CJansson"]),
        module("Wire", "JSONRPC", ["JSON"]),
        module("Wire", "PluginProtocol", ["JSON", "JSONRPC"]),
        module("Wire", "PluginKit", ["JSON", "JSONRPC", "PluginProtocol", "Threads", "CLinux", "CSpawn"]),

        // MARK: Hosting
        module("Hosting", "PluginHost", ["PluginProtocol", "JSONRPC", "JSON", "CSpawn", "CLinux", "Threads", logging]),

        // MARK: Repository
        module("Repository", "Chunking", ["CFingerprint"]),
        module("Repository", "Compression", ["CZstd"]),
        module("Repository", "RepositoryCrypto", ["CLibcrypto"]),
        module("Repository", "RepositoryFormat", ["JSON"]),
        module("Repository", "ObjectStorage", ["CLinux"]),
        module(
            "Repository", "Repository",
            [
                "Chunking", "Compression", "RepositoryCrypto", "RepositoryFormat", "ObjectStorage", "Threads", "CLinux",
                "JSON",
            ]),
        module(
            "Repository", "Archiving",
            ["Repository", "RepositoryFormat", "RepositoryCrypto", "Chunking", "ObjectStorage", "Threads", "CLinux"]),
        module("Repository", "Retention", ["RepositoryFormat"]),
        module(
            "Repository", "Maintenance",
            [
                "Archiving", "Retention", "Repository", "RepositoryFormat", "RepositoryCrypto", "Compression",
                "Chunking",
                "ObjectStorage", "Threads", "CLinux", "JSON",
            ]),

        // MARK: Snapshots
        module("Snapshots", "SnapshotModel", ["JSON", yams]),
        module("Snapshots", "Catalog", ["SnapshotModel", "JSON", "CLinux", grdb]),
        module(
            "Snapshots", "Pipelines",
            [
                "Archiving", "Maintenance", "Retention", "Catalog", "PluginHost", "SnapshotModel", "Repository",
                "RepositoryFormat", "ObjectStorage", "PluginProtocol", "JSONRPC", "JSON", "Threads", "CLinux", logging,
            ]),

        // MARK: Interfaces
        module(
            "Interfaces", "HostServices",
            [
                "Pipelines", "Catalog", "PluginHost", "Archiving", "Maintenance", "Retention", "Repository",
                "RepositoryFormat", "SnapshotModel", "ObjectStorage", "PluginProtocol", "JSON", "Threads", "CLinux",
                logging,
            ]),
        module(
            "Interfaces", "Commands",
            [
                "HostServices", "Pipelines", "Catalog", "PluginHost", "Archiving", "Maintenance", "Retention",
                "Repository", "RepositoryFormat", "SnapshotModel", "PluginProtocol", "JSON", "Threads", "CLinux",
                argumentParser, logging,
            ]),
        .executableTarget(name: "stillpoint", dependencies: ["Commands"], path: "Sources/Interfaces/stillpoint"),

        // MARK: First-party plugins
        plugin("storage-filesystem", ["CLibcrypto", "CLinux"]),
        plugin("hook-exec", ["Threads", "CLinux"]),
        plugin("source-command", ["CLinux"]),

        // MARK: Tests
        .target(name: "TestSupport", dependencies: ["CLinux", "ObjectStorage"], path: "Tests/TestSupport"),
        .executableTarget(
            name: "instruction-counts",
            dependencies: ["TestSupport", "Chunking", "RepositoryCrypto", "RepositoryFormat", "JSON"],
            path: "Tests/InstructionCounts", exclude: ["recorded.json"]),
        .executableTarget(
            name: "store-bench",
            dependencies: [
                "TestSupport", "Pipelines", "PluginHost", "Archiving", "Repository", "RepositoryCrypto",
                "RepositoryFormat", "ObjectStorage", "PluginProtocol", "JSON", "Threads", "CLinux", logging,
            ], path: "Tests/StoreBench"),
        tests("Wire", ["JSON", "JSONRPC", "PluginProtocol", "PluginKit", "CSpawn", "CLinux", "Threads"]),
        tests("Hosting", ["PluginHost", "PluginProtocol", "JSONRPC", "JSON", "CSpawn", "Threads", logging]),
        tests(
            "Repository",
            [
                "CFingerprint", "Chunking", "Compression", "RepositoryCrypto", "RepositoryFormat", "ObjectStorage",
                "Repository", "Archiving", "Retention", "Maintenance", "Threads", "JSON", "CLinux",
            ]),
        tests(
            "Snapshots",
            [
                "SnapshotModel", "Catalog", "Pipelines", "PluginHost", "Archiving", "Repository", "RepositoryFormat",
                "RepositoryCrypto", "Maintenance", "Retention", "ObjectStorage", "PluginProtocol", "JSON", "Threads",
                "CLinux", grdb, logging,
            ], exclude: ["Golden"]),
        tests(
            "Interfaces",
            [
                "Commands", "HostServices", "SnapshotModel", "Pipelines", "Catalog", "Archiving", "Repository",
                "Maintenance", "Retention", "Threads", "JSON", argumentParser,
            ], exclude: ["Golden"]),
        tests("EndToEnd", ["JSON"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "SnapshotModel", "Repository", "RepositoryFormat", "RepositoryCrypto", "Compression", "Chunking",
                "ObjectStorage", "PluginProtocol", "JSONRPC", "JSON",
            ], path: "Tests/Fuzz/Targets"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay"),
    ],
    swiftLanguageModes: [.v6]
)

// One place for settings: each target is compiled by the same rules, and a warning is an error.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    guard !["CFingerprint", "CLinux", "CSpawn"].contains(target.name) else { continue }
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
