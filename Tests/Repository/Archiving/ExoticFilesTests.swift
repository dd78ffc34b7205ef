import Archiving
import Foundation
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Files that few people have, each compared with the original after our restore and after stock restic's.
@Suite(.timeLimit(.minutes(3))) struct ExoticFilesTests {
    static let script = #"""
        import os, stat, struct
        os.mkdir("src"); os.chdir("src")
        root = os.geteuid() == 0
        # Names and targets: every byte, broken UTF-8, controls, quotes, backslashes.
        os.mkdir("names"); os.chdir("names")
        for byte in range(1, 256):
            if byte != 47: open(b"n" + bytes([byte]), "wb").write(bytes([byte]))
        for number, name in enumerate([b"\xff\xfe", b"a\nb\r\tc", b"\"q\" 'q' \\q\\", b"\\n\\x41\\u0041", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b" lead", b"trail ", b"...", b"-rf", b"*?[", "e\u0301\u00e9\u2028\u200b".encode(), b"\x1b[31m", b"x" * 255]):
            open(name, "wb").close(); os.symlink("\n\t\"'\\%d\u2028 <&>" % number, "l%d" % number)
        os.symlink("/" + "t" * 4094, "longest"); os.symlink("../" * 1300 + "etc", "up")
        os.chdir("..")
        # Sizes around the bounds of chunks.
        os.mkdir("sizes")
        for size in [0, 1, 63, 64, 4095, 4096, 4097, 524287, 524288, 524289, 1048576, 8388607, 8388608, 8388609]:
            with open("sizes/%d" % size, "wb") as file: file.write(b"\xab" * size)
        # Times.
        os.mkdir("times"); os.chdir("times")
        for number, ns in enumerate([0, -1, 1, -10**9, 2**31 * 10**9, (2**31 - 1) * 10**9 + 999999999, -2**31 * 10**9, 4102444800 * 10**9 + 123456789, -1234567890123456789, 15 * 10**18 // 2]):
            open("f%d" % number, "w").write("x"); os.mkdir("d%d" % number); os.symlink("t", "l%d" % number); os.mkfifo("p%d" % number)
            for kind in "fdlp": os.utime("%s%d" % (kind, number), ns=(ns, ns), follow_symlinks=False)
        os.chdir("..")
        # Attributes.
        os.mkdir("attributes"); os.chdir("attributes")
        for name in ["file", "empty"]: open(name, "w").write("x" if name == "file" else "")
        os.mkdir("dir"); os.symlink("file", "link")
        for name in ["file", "empty", "dir"]:
            os.setxattr(name, "user.empty", b""); os.setxattr(name, b"user.\xc3\xa9", bytes(range(256)))
            os.setxattr(name, "user.long", b"v" * 3000)
        if root:
            for name in ["file", "dir"]: os.setxattr(name, "trusted.t", b"\x00\xff")
            os.chown("file", 1234, 5678)
            os.setxattr("file", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))
        os.chdir("..")
        # Hard links, special files, set-user-id bits.
        os.mkdir("links"); open("links/a", "w").write("a"); os.link("links/a", "links/b"); os.link("links/a", "times/c")
        os.symlink("x", "links/s"); os.mkfifo("links/p")
        open("links/e", "w").close(); os.link("links/e", "links/e2")
        if root:
            for number, (kind, major, minor) in enumerate([(stat.S_IFCHR, 1, 3), (stat.S_IFBLK, 7, 200), (stat.S_IFCHR, 4000, 1000000)]):
                os.mknod("links/dev%d" % number, kind | 0o640, os.makedev(major, minor))
        for mode in [0o4755, 0o2755, 0o6711, 0o1644]:
            open("links/m%o" % mode, "w").write("m"); os.chmod("links/m%o" % mode, mode)
            os.mkdir("links/d%o" % mode); os.chmod("links/d%o" % mode, mode)
        """#

    /// Everything about every entry, one line each.
    static let listing = #"""
        import os, sys, hashlib, struct
        os.chdir(sys.argv[1]); inodes = {}
        for folder, directories, files in os.walk(b"."):
            directories.sort()
            for name in sorted(directories + files):
                path = os.path.join(folder, name); info = os.lstat(path)
                attributes = sorted((a, os.getxattr(path, a, follow_symlinks=False)) for a in os.listxattr(path, follow_symlinks=False))
                first = inodes.setdefault(info.st_ino, path)
                print(path, oct(info.st_mode), info.st_uid, info.st_gid, info.st_rdev, info.st_mtime_ns, first,
                      info.st_size if not os.path.isdir(path) or os.path.islink(path) else "", attributes,
                      os.readlink(path) if os.path.islink(path) else "",
                      hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) and not os.path.islink(path) else "")
        """#

    @Test func `exotic files come back from us and from stock restic, whoever stored them`() throws {
        let restic = try RepositoryFixture("exotic-files")
        _ = try restic.initialize()
        let scratch = try TemporaryDirectory("exotic-files-source")
        try scratch.write(Self.script, to: "make.py")
        try scratch.write(Self.listing, to: "list.py")
        let made = try ShellScript(
            "python3 make.py; setfacl -m u:1234:rw,g:77:r,m::rw src/links/a; setfacl -d -m u:1234:rwx src/links"
        )
        .run(in: scratch)
        #expect(made?.status == 0, "\(made?.output ?? "")")
        func list(_ name: String) throws -> [Substring] {
            let result = try #require(try ShellScript("python3 list.py \(name)").run(in: scratch))
            #expect(result.status == 0, "\(result.output.suffix(2000))")
            return result.output.split(separator: "\n")
        }
        let before = try list("src")
        #expect(before.count > 350)

        let ours = try restic.backup(scratch.path("src"), as: "src")
        #expect(restic.observer.messages == [])
        let theirs = try restic.run(
            "restic check --read-data -q 2> /dev/null && restic restore latest -q --target \(scratch.path("theirs"))")
        #expect(theirs == .init(status: 0, output: ""))
        Self.compare(try list("theirs/src"), before)

        _ = try restic.run("cd \(scratch.path) && restic backup -q src")
        let repository = try restic.open()
        let snapshot = try repository.snapshots(cancellation: restic.cancellation).named("latest")
        let node = try #require(try BlobLoader(repository).loadTree(snapshot.record.tree).first)
        #expect(node.subtree == ours.node.subtree, "stock restic gives the same tree")
        try Restorer(repository, observer: restic.observer, cancellation: restic.cancellation)
            .restore(node, to: scratch.path("ours"))
        #expect(restic.observer.messages == [])
        Self.compare(try list("ours"), before)
    }

    private static func compare(_ a: [Substring], _ b: [Substring]) {
        #expect(a.count == b.count)
        for (first, second) in zip(a, b) where first != second { #expect(first == second) }
    }
}
