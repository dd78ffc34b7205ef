import HostServices
import Pipelines
import Repository
import SnapshotModel
import Testing
import Threads

@testable import Commands

@Suite struct ExitCodeTests {
    @Test func `wrong input is usage, whatever found it`() throws {
        #expect(exitCode(of: ServiceError(.badValue, "x")) == .usage)
        let name = #expect(throws: SnapshotModelError.self) { try ApplicationName("No Name") }
        #expect(exitCode(of: try #require(name)) == .usage)
        let tag = #expect(throws: SnapshotModelError.self) { try SnapshotTags.validate(userTag: "app:x") }
        #expect(exitCode(of: try #require(tag)) == .usage)
        let manifest = #expect(throws: ManifestInvalid.self) { try ApplicationManifest.parse("a: [") }
        #expect(exitCode(of: try #require(manifest)) == .usage)
    }

    @Test func `other failures of the host are failures`() {
        #expect(exitCode(of: ServiceError(.notSetUp, "x")) == .failed)
        #expect(exitCode(of: RepositoryError.noSnapshot("x")) == .failed)
    }

    @Test func `a stop by a signal has the code of the signal`() {
        #expect(exitCode(of: CancellationFailure(reason: .signal(2))) == .interrupted)
        #expect(exitCode(of: CancellationFailure(reason: .signal(15))) == .terminated)
        #expect(exitCode(of: CancellationFailure(reason: .requested)) == .interrupted)
    }

    @Test func `a full disk is told as such through every layer`() {
        let journal = JournalError.system("write", "/x", number: 28)
        #expect(RunFailure.exitCode(of: journal) == .noSpace)
    }

    @Test func `a cancelled run is cancelled whatever it failed with`() {
        let cancellation = Cancellation()
        cancellation.cancel(.signal(15))
        let result = RunFailure.classified(RepositoryError.noSnapshot("x"), cancellation: cancellation)
        #expect(result.state == .cancelled && result.exitCode == .terminated)
        #expect(result.message == "Stopped by signal 15; every application was released.")
    }
}
