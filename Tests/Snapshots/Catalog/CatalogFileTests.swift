import CLinux
import Catalog
import GRDB
import Glibc
import SnapshotModel
import TestSupport
import Testing
import Threads

@Suite struct CatalogFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("catalog") }

    private func mode(_ path: String) -> UInt32 {
        var status = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &status) == 0 else { return 0 }
        return status.mode & 0o777
    }

    @Test func `the file and its directories are the owner's alone`() throws {
        let path = directory.path("a/b/catalog.sqlite3")
        let catalog = try Catalog(path: path)
        try catalog.setSetting("a", to: "b")
        #expect(mode(directory.path("a")) == 0o700)
        #expect(mode(directory.path("a/b")) == 0o700)
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(mode(path + suffix) == 0o600, "\(suffix)") }
    }

    @Test func `a file that others can read is taken from them`() throws {
        let path = directory.path("catalog.sqlite3")
        try Catalog(path: path).close()
        chmod(path, 0o644)
        try Catalog(path: path).close()
        #expect(mode(path) == 0o600)
    }

    @Test func `what was written is there after reopening`() throws {
        let path = directory.path("catalog.sqlite3")
        let first = try Catalog(path: path)
        try first.setSetting("a", to: "b")
        try first.close()
        let second = try Catalog(path: path)
        #expect(try second.setting("a") == "b")
        try second.checkIntegrity()
    }

    @Test func `the migrations that have shipped keep their names and are applied once`() throws {
        let path = directory.path("catalog.sqlite3")
        try Catalog(path: path).close()
        try Catalog(path: path).close()
        let queue = try DatabaseQueue(path: path)
        let names = try queue.read { try String.fetchAll($0, sql: "SELECT identifier FROM grdb_migrations ORDER BY 1") }
        #expect(names == ["0001 settings, destinations, applications, runs, snapshots"])
        let journal = try queue.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
        #expect(journal == "wal")
    }

    @Test func `a catalog of a newer version is refused with the way out`() throws {
        let path = directory.path("catalog.sqlite3")
        try Catalog(path: path).close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('0099 the future')") }
        try queue.close()
        let failure = #expect(throws: CatalogError.self) { try Catalog(path: path) }
        #expect(failure?.code == .newerSchema)
        #expect(
            failure?.description
                == "The catalog \(path) was changed by a newer version of stillpoint; use that one")
    }

    @Test func `a file that is no database is refused and left as it is`() throws {
        let text = String(repeating: "this is not SQLite\n", count: 500)
        let path = try directory.write(text, to: "catalog.sqlite3")
        let failure = #expect(throws: CatalogError.self) { try Catalog(path: path) }
        #expect(failure?.code == .damaged)
        #expect(failure?.message.hasPrefix("The catalog \(path) is damaged; move it away") == true)
        #expect(try directory.read("catalog.sqlite3") == Array(text.utf8))
    }

    @Test func `damaged pages are found, by use or by the check`() throws {
        let path = directory.path("catalog.sqlite3")
        let catalog = try Catalog(path: path)
        for number in 0..<200 { try catalog.setSetting("name-\(number)", to: String(repeating: "v", count: 200)) }
        try catalog.close()
        var bytes = try directory.read("catalog.sqlite3")
        for offset in stride(from: 4096, to: bytes.count, by: 97) { bytes[offset] ^= 0xFF }
        try directory.write(bytes, to: "catalog.sqlite3")
        let failure = #expect(throws: CatalogError.self) {
            let damaged = try Catalog(path: path)
            try damaged.checkIntegrity()
        }
        #expect(failure?.code == .damaged)
    }

    @Test func `a value without meaning is damage, not a crash`() throws {
        let path = directory.path("catalog.sqlite3")
        let catalog = try Catalog(path: path)
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(
                sql: """
                    INSERT INTO runs VALUES ('01aryz6s41tsv4rrffq69g5fav', 'dance', NULL, 'manual', 'queued', 1, NULL,
                      NULL, NULL, NULL, 0, 0, 0)
                    """)
        }
        let failure = #expect(throws: CatalogError.self) { try catalog.runs() }
        #expect(failure?.code == .damaged)
        #expect(failure?.description == "The catalog \(path) is damaged: 'dance' is no value of runs.kind")
    }

    @Test func `a path that cannot be is refused`() throws {
        try directory.write("file", to: "file")
        for path in [directory.path("file/catalog.sqlite3"), directory.path, "/proc/nowhere/catalog.sqlite3"] {
            let failure = #expect(throws: CatalogError.self) { try Catalog(path: path) }
            #expect(failure?.code == .inaccessible)
        }
    }

    @Test func `many openers and writers at once lose nothing`() throws {
        let path = directory.path("catalog.sqlite3")
        let threads = (0..<6).map { writer in
            WorkerThread(name: "writer-\(writer)") {
                let catalog = try Catalog(path: path)
                for number in 0..<25 { try catalog.setSetting("\(writer)-\(number)", to: "x") }
                for _ in 0..<5 { _ = try catalog.settings() }
                try catalog.close()
            }
        }
        for thread in threads { try thread.join() }
        #expect(try Catalog(path: path).settings().count == 150)
    }

    @Test(.enabled(if: ShellScript.isInstalled("sqlite3")))
    func `another process writes at the same time`() throws {
        let path = directory.path("catalog.sqlite3")
        let catalog = try Catalog(path: path)
        let thread = WorkerThread(name: "writer") {
            for number in 0..<60 { try catalog.setSetting("ours-\(number)", to: "x") }
        }
        let result = try ShellScript(
            """
            for i in $(seq 60); do
              echo "INSERT INTO settings VALUES ('theirs-$i', 'y');"
            done | sqlite3 -cmd '.timeout 15000' catalog.sqlite3
            """
        ).run(in: directory)
        try thread.join()
        #expect(result == ShellScript.Result(status: 0, output: ""))
        #expect(try catalog.settings().count == 120)
    }
}
