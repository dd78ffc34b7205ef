import Glibc
import PluginHost
import PluginProtocol
import TestSupport
import Testing

@Suite struct `Finding plugins` {
    private func executable(_ directory: TemporaryDirectory, _ name: String, mode: mode_t = 0o755) throws -> String {
        let path = try directory.write("#!/bin/sh\n", to: name)
        #expect(chmod(path, mode) == 0)
        return path
    }

    @Test func `the name with its kind comes first, the directories in order`() throws {
        let (first, second) = (try TemporaryDirectory("locator"), try TemporaryDirectory("locator"))
        let locator = PluginLocator(directories: [first.path, second.path])
        let exact = try executable(second, "stillpoint-storage-ceph")
        _ = try executable(first, "stillpoint-ceph")
        #expect(try locator.locate(.storage, "ceph").executable == exact)
        #expect(try locator.locate(.hook, "ceph").executable == first.path("stillpoint-ceph"))
        let hidden = try executable(first, "stillpoint-storage-ceph")
        #expect(try locator.locate(.storage, "ceph").executable == hidden)
        #expect(try locator.locate(.storage, exact) == PluginReference(kind: .storage, name: "ceph", executable: exact))
    }

    @Test func `a plugin that is nowhere is told with all places`() throws {
        let directory = try TemporaryDirectory("locator")
        let locator = PluginLocator(directories: [directory.path])
        let error = try #require(throws: PluginHostError.self) { try locator.locate(.source, "none") }
        #expect(error.code == .notFound)
        #expect(
            error.message
                == "there is no source plugin 'none'; searched: \(directory.path)/stillpoint-source-none, "
                + "\(directory.path)/stillpoint-none")
        let relative = try #require(throws: PluginHostError.self) { try locator.locate(.source, "../none") }
        #expect(relative.message.hasPrefix("'../none' is neither an absolute path nor a name"))
        #expect(throws: PluginHostError.self) { try locator.locate(.source, directory.path("gone")) }
    }

    @Test func `what others could have changed is refused with its reason`() throws {
        let directory = try TemporaryDirectory("locator")
        let locator = PluginLocator(directories: [directory.path])
        func reason(_ name: String) throws -> String {
            let error = try #require(throws: PluginHostError.self) { try locator.locate(.hook, name) }
            #expect(error.code == .unsafeExecutable)
            return error.message
        }
        _ = try executable(directory, "stillpoint-hook-plain", mode: 0o644)
        #expect(try reason("plain").hasSuffix("is not started: it is not executable"))
        _ = try executable(directory, "stillpoint-hook-group", mode: 0o775)
        #expect(try reason("group").hasSuffix("it can be written by its group (mode 775); chmod g-w it"))
        _ = try executable(directory, "stillpoint-hook-setuid", mode: 0o4755)
        #expect(try reason("setuid").hasSuffix("it is set-user-id or set-group-id"))
        #expect(mkdir(directory.path("stillpoint-hook-folder"), 0o755) == 0)
        #expect(try reason("folder").hasSuffix("it is not a regular file"))
        #expect(symlink("/nonexistent", directory.path("stillpoint-hook-dangling")) == 0)
        #expect(throws: PluginHostError.self) { try locator.locate(.hook, "dangling") }
        _ = try executable(directory, "open/stillpoint-hook-inner")
        #expect(chmod(directory.path("open"), 0o777) == 0)
        let inner = try #require(throws: PluginHostError.self) {
            try locator.locate(.hook, directory.path("open/stillpoint-hook-inner"))
        }
        #expect(
            inner.message.hasSuffix(
                "its directory \(directory.path)/open can be written by everybody (mode 777); chmod o-w it"))
        #expect(symlink(directory.path("open/stillpoint-hook-inner"), directory.path("stillpoint-hook-link")) == 0)
        #expect(try reason("link").contains("its directory \(directory.path)/open can be written by everybody"))
    }

    @Test(.enabled(if: geteuid() == 0)) func `a file of another user is refused`() throws {
        let directory = try TemporaryDirectory("locator")
        let path = try executable(directory, "stillpoint-hook-other")
        #expect(chown(path, 65_534, 65_534) == 0)
        let error = try #require(throws: PluginHostError.self) {
            try PluginLocator(directories: []).locate(.hook, path)
        }
        #expect(error.message.contains("it belongs to user 65534, neither to root nor to the user running this"))
    }

    @Test func `discovery lists good and broken ones and goes on`() throws {
        let (first, second) = (try TemporaryDirectory("locator"), try TemporaryDirectory("locator"))
        _ = try executable(first, "stillpoint-hook-exec")
        _ = try executable(first, "stillpoint-storage-bad", mode: 0o775)
        _ = try executable(first, "stillpoint-both")
        _ = try executable(first, "stillpoint")
        _ = try executable(first, "other-tool")
        _ = try executable(second, "stillpoint-hook-exec", mode: 0o644)
        let found = PluginLocator(directories: [first.path, "/nonexistent", second.path]).discover()
        #expect(found.map(\.name) == ["both", "exec", "bad"])
        #expect(found.map(\.kind) == [nil, .hook, .storage])
        #expect(found.map { $0.problem?.code } == [nil, nil, .unsafeExecutable])
        #expect(found[2].problem?.message.contains(first.path("stillpoint-storage-bad")) == true)
    }
}
