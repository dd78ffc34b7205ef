import Catalog
import Foundation
import GRDB
import SnapshotModel
import TestSupport
import Testing
import Threads

@Suite struct CatalogCopyTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog
    private let path: String

    init() throws {
        directory = try TemporaryDirectory("catalog")
        path = directory.path("state/catalog.sqlite3")
        catalog = try Catalog(path: path)
        try catalog.setSetting("who", to: "old")
    }

    @Test func `a backup is one file with everything in it`() throws {
        let copy = directory.path("copy.sqlite3")
        try catalog.backup(to: copy)
        try catalog.setSetting("who", to: "new")
        #expect(try directory.names() == ["copy.sqlite3", "state"])
        let reopened = try Catalog(path: copy)
        #expect(try reopened.setting("who") == "old")
        try reopened.checkIntegrity()
    }

    @Test func `a backup taken between transactions never holds half of one`() throws {
        let name = try ApplicationName("a")
        try catalog.register(name, manifestText: "0", sourcePath: "0", at: Moment(milliseconds: 0))
        let writer = try Catalog(path: path)
        let stop = Cancellation()
        let thread = WorkerThread(name: "writer") {
            var number: Int64 = 0
            while !stop.isCancelled {
                number += 1
                try writer.register(
                    name, manifestText: "\(number)", sourcePath: "\(number)", at: Moment(milliseconds: number))
            }
        }
        for number in 0..<10 {
            let copy = directory.path("copy-\(number).sqlite3")
            try catalog.backup(to: copy)
            let application = try Catalog(path: copy).application(named: name)
            #expect(application.manifestText == application.sourcePath)
            #expect(application.updated.milliseconds == Int64(application.manifestText))
        }
        stop.cancel(.requested)
        try thread.join()
    }

    @Test func `a backup never overwrites a file`() throws {
        let existing = try directory.write("precious", to: "existing")
        let failure = #expect(throws: CatalogError.self) { try catalog.backup(to: existing) }
        #expect(failure?.code == .inaccessible)
        #expect(try directory.read("existing") == Array("precious".utf8))
    }

    @Test func `a restored copy replaces everything, also for others that have it open`() throws {
        let copy = directory.path("copy.sqlite3")
        try catalog.backup(to: copy)
        let other = try Catalog(path: path)
        try catalog.setSetting("who", to: "new")
        try catalog.setSetting("more", to: "x")
        #expect(try other.setting("who") == "new")
        try catalog.replace(from: copy)
        #expect(try catalog.settings() == ["who": "old"])
        #expect(try other.settings() == ["who": "old"])
        try other.setSetting("after", to: "y")
        #expect(try catalog.setting("after") == "y")
        try catalog.checkIntegrity()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path("state"))
        #expect(
            names.sorted() == ["catalog.sqlite3", "catalog.sqlite3-shm", "catalog.sqlite3-wal", "catalog.sqlite3.lock"])
    }

    @Test func `a damaged, newer or missing copy changes nothing`() throws {
        let garbage = try directory.write(String(repeating: "garbage ", count: 600), to: "garbage")
        let newer = directory.path("newer.sqlite3")
        try catalog.backup(to: newer)
        let queue = try DatabaseQueue(path: newer)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('0099')") }
        try queue.close()
        try catalog.setSetting("who", to: "mine")
        let cases: [(String, CatalogError.Code)] = [
            (garbage, .damaged), (newer, .newerSchema), (directory.path("missing"), .inaccessible),
        ]
        for (source, code) in cases {
            let failure = #expect(throws: CatalogError.self) { try catalog.replace(from: source) }
            #expect(failure?.code == code)
            #expect(try catalog.setting("who") == "mine")
        }
    }
}
