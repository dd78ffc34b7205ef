import Archiving
import Foundation
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Threads

/// One damaged repository: opened, listed, restored and checked; what was not as it should be.
struct CorruptionTrial {
    let fixture: CorruptionFixture
    /// The objects that are damaged, by key.
    let changes: [String: [UInt8]?]
    /// What may be missing after a restore, by snapshot; everything else must be there.
    var losses: [ObjectID: Set<String>] = [:]
    /// Whether a check has to find an error.
    var mustBeFound = true
    /// Whether a check cannot know the name of what is damaged: an index file that is gone.
    var isUnnamed = false
    private(set) var problems: [String] = []
    /// What a restore did not bring back, by snapshot.
    private var missing: [ObjectID: [String]] = [:]

    init(_ fixture: CorruptionFixture, _ changes: [String: [UInt8]?]) {
        self.fixture = fixture
        self.changes = changes
    }

    /// The names by which a message may call the damaged objects.
    private var names: [String] {
        changes.keys.map { $0.split(separator: "/").last.map { String($0.prefix(8)) } ?? $0 }
    }

    private mutating func expect(_ condition: Bool, _ problem: @autoclosure () -> String) {
        if !condition { problems.append(problem()) }
    }

    private func namesObject(_ message: String) -> Bool { names.contains { message.contains($0) } }

    /// Does everything that only reads.
    mutating func run() throws {
        let store = try fixture.store(replacing: changes)
        let repository: OpenRepository
        do {
            repository = try OpenRepository.open(store, password: RepositoryFixture.password)
        } catch {
            expect(changes.keys.contains("config"), "The repository does not open: \(error)")
            expect((error as? RepositoryError).map { namesObject($0.message) } ?? false, "Opening says only: \(error)")
            return
        }
        expect(!changes.keys.contains("config"), "A damaged config is taken")
        if changes.keys.contains(where: { $0.hasPrefix("locks/") }) {
            do { _ = try repository.locks() } catch { expect(namesObject("\(error)"), "Locking says only: \(error)") }
        }
        try list(repository)
        try restore(repository)
        try check(store)
    }

    private mutating func list(_ repository: OpenRepository) throws {
        var refused: [ObjectID] = []
        let snapshots = try repository.snapshots(cancellation: fixture.cancellation) { id, error in
            refused.append(id)
            expect(namesObject("\(error)"), "The listing says only: \(error)")
        }
        for id in refused { expect(changes.keys.contains(ObjectKind.snapshot.key(id)), "The sound \(id) is refused") }
        for snapshot in snapshots {
            expect(fixture.snapshots[snapshot.id] != nil, "A snapshot \(snapshot.id) appears from nowhere")
            expect(changes[ObjectKind.snapshot.key(snapshot.id)] == nil, "A damaged snapshot is listed")
        }
    }

    private mutating func restore(_ repository: OpenRepository) throws {
        var told: [String] = []
        try repository.loadIndex(cancellation: fixture.cancellation) { _, _, error in told.append("\(error)") }
        for message in told { expect(namesObject(message), "Loading the index says only: \(message)") }
        let target = try TemporaryDirectory("corruption-target")
        for (id, expected) in fixture.snapshots {
            guard let bytes = try? repository.loadUnpacked(.snapshot, id) else { continue }
            let record = try SnapshotRecord(decoding: bytes)
            var root = TreeNode(
                name: [], kind: .dir, modified: record.time, accessed: record.time, changed: record.time)
            root.subtree = record.tree
            let observer = RecordingObserver()
            let restorer = Restorer(repository, observer: observer, cancellation: fixture.cancellation)
            try restorer.restore(root, to: target.path(id.short))
            var found = CorruptionFixture.entries(target.path(id.short), below: "")
            let allowed = losses[id] ?? []
            for (path, content) in expected {
                let restored = found.removeValue(forKey: "/" + path)
                expect(restored == nil || restored == content, "\(path) of \(id.short) is restored with other bytes")
                expect(restored != nil || allowed.contains(path), "\(path) of \(id.short) is not restored")
                if restored == nil { missing[id, default: []].append(path) }
            }
            expect(found.isEmpty, "\(found.keys.sorted()) of \(id.short) appear from nowhere")
            let isTold = observer.messages.contains { $0.hasPrefix("FAILED") }
            guard missing[id] != nil else { continue }
            expect(isTold && restorer.statistics.failures > 0, "Files of \(id.short) are missing in silence")
        }
    }

    private mutating func check(_ store: MemoryObjectStore) throws {
        let repository = try OpenRepository.open(store, password: RepositoryFixture.password)
        let result = try RepositoryCheck(repository, readData: true, cancellation: fixture.cancellation).run()
        let errors = result.findings.filter(\.isError).map(\.message)
        let concerns = result.findings.filter(\.isError).map(\.concern)
        for (id, paths) in missing {
            for path in paths {
                let isNamed = concerns.contains { concern in
                    concern.snapshots.contains(id) && concern.paths.contains { Self.covers($0, "/" + path) }
                }
                expect(isNamed, "The check does not name \(path) of \(id.short): \(errors)")
            }
        }
        guard mustBeFound else { return expect(errors.isEmpty, "The check finds \(errors)") }
        expect(!result.isClean, "The check finds nothing")
        expect(isUnnamed || errors.contains { namesObject($0) }, "The check does not name the object: \(errors)")
    }

    /// Whether a path is another or a directory above it.
    private static func covers(_ path: String, _ other: String) -> Bool {
        path == other || path == "/" || other.hasPrefix(path + "/")
    }
}
