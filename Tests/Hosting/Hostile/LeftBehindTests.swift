import Glibc
import JSON
import Logging
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

@Suite struct `What a host leaves behind` {
    @Test func `nothing, after many plugins of all kinds of ill will`() async {
        // In a process of its own, where nobody else opens descriptors.
        await #expect(processExitsWith: .success) {
            let isClean = try Self.leavesNothing()
            // After the directory of the fixture is gone.
            exit(isClean ? 0 : 1)
        }
    }

    private static func leavesNothing() throws -> Bool {
        let host = try HostFixture(.brief { $0.short = .milliseconds(100) })
        let calls = [
            "exit 1", "echo garbage >&3; printf '{' >&3; echo >&3", "exec sleep 60", "fail 7 no", BashPlugin.stat,
            "sleep 60 & exit 2", "exec 1>&- 3>&-; sleep 60",
        ]
        func round() throws {
            for call in calls {
                let storage = try host.storage(BashPlugin.script(call: call))
                _ = try? storage.stat(key: "a")
                storage.close()
            }
            _ = try? host.storage("#!/nonexistent\n")
            _ = try? host.storage("#!/bin/bash\nexit 1\n")
            for fault in ["", "symlink", "half", "surplus"] {
                let storage = try host.pythonStorage(fault: fault)
                try host.put([UInt8](repeating: 1, count: 200_000), as: "a", into: storage)
                _ = try? storage.get(key: "a", offset: 0, length: 200_000)
                storage.close()
            }
        }
        // The first round also makes what stays for the life of the process, such as the thread that starts plugins.
        try round()
        let (descriptors, threads) = (OpenDescriptors.targets().count, ThreadCount.now)
        try round()
        let (after, threadsAfter) = (OpenDescriptors.targets().count, ThreadCount.now)
        try host.finish()
        if after != descriptors { print("descriptors: \(descriptors), then \(after)") }
        if threadsAfter > threads { print("threads: \(threads), then \(threadsAfter)") }
        return after == descriptors && threadsAfter <= threads
    }

    @Test func `a host that is killed takes its plugin with it, and the next one the rest`() async throws {
        let directory = try TemporaryDirectory("killed")
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let host = try HostFixture()
            // One that ends with its parent, and one that ignores end-of-file and the signal.
            for (name, start) in [("polite", ""), ("stubborn", "trap '' TERM")] {
                let tail = name == "stubborn" ? "\nwhile :; do sleep 60; done\n" : ""
                let script = BashPlugin.script(start: start + "\necho $$ >\(path)/\(name)", call: BashPlugin.stat)
                _ = try host.storage(script + tail)
            }
            let file = open("\(path)/spool", O_WRONLY | O_CREAT, 0o600)
            let spool = host.directory.path("spool")
            write(file, spool, spool.utf8.count)
            kill(getpid(), SIGKILL)
        }
        func text(_ name: String) throws -> String { String(decoding: try directory.read(name), as: UTF8.self) }
        let polite = try #require(pid_t(try text("polite").dropLast()))
        let stubborn = try #require(pid_t(try text("stubborn").dropLast()))
        #expect(ended(polite))
        #expect(ProcessTable.isLiving(stubborn))

        let record = EventRecord()
        let spool = try text("spool")
        let next = try PluginSupervisor(
            configuration: PluginHostConfiguration(
                spoolRoot: spool, hostVersion: "0", onEvent: { record.add($0) }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let killed = record.all.compactMap { if case .sweptSpool(_, let killed) = $0 { killed } else { nil } }
        #expect(killed == [1])
        #expect(ended(stubborn))
        next.shutdown()
        // The directory of the killed process is nobody's any more.
        #expect(ShellScript.isInstalled("rm"))
        _ = try ShellScript("rm -rf '\(spool.dropLast("/spool".count))'").run(in: directory)
    }

    /// Waits for the end of a process that is not a child of this one.
    private func ended(_ pid: pid_t) -> Bool {
        let limit = ContinuousClock.now + .seconds(10)
        while ProcessTable.isLiving(pid) {
            guard ContinuousClock.now < limit else { return false }
            _ = poll(nil, 0, 10)
        }
        return true
    }
}

/// The threads of this process.
private enum ThreadCount {
    static var now: Int {
        guard let handle = opendir("/proc/self/task") else { return 0 }
        defer { closedir(handle) }
        var count = 0
        while readdir(handle) != nil { count += 1 }
        return count
    }
}
