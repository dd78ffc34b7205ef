import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport

/// A repository with two snapshots of a small tree, between which files were added, removed and changed.
struct QueryFixture {
    /// What the tree is at first.
    static let first = """
        mkdir -p src/etc/conf.d src/empty src/many && cd src
        echo one > etc/one.conf; echo two > etc/conf.d/two.conf; echo Three > etc/conf.d/THREE.CONF
        cp etc/one.conf same.conf; ln etc/one.conf linked; ln -s one.conf link; : > nothing
        head -c 3000000 /dev/zero | tr '\\0' a > large; head -c 1500000 /dev/urandom > random
        for n in $(seq 40); do echo $n > many/$n; done; mkfifo pipe
        printf x > $'odd\\xff'; mkdir gone; echo bye > gone/file; echo x > turned
        touch -d '2020-01-01 00:00:00Z' etc/one.conf; touch -d '2021-06-01 12:00:00.5Z' large
        """
    /// What happens to it then.
    static let second = """
        cd src && rm -r gone && mkdir added && echo new > added/file && cp large added/copy && rm turned && ln -s x turned
        echo more >> etc/conf.d/two.conf; chmod 600 same.conf; rm pipe; mkfifo other
        """

    let fixture: RepositoryFixture
    let source: TemporaryDirectory
    /// Oldest first.
    let ids: [ObjectID]

    init() throws {
        fixture = try RepositoryFixture("queries")
        _ = try fixture.initialize()
        source = try TemporaryDirectory("queries-source")
        var ids: [ObjectID] = []
        for script in [Self.first, Self.second] {
            guard try ShellScript(script).run(in: source)?.status == 0 else { throw ArchiveFixtureError.noShell }
            ids.append(try fixture.backup(source.path("src"), as: "src").id)
        }
        self.ids = ids
    }

    /// The snapshots in the order in which they were made.
    func snapshots(_ repository: OpenRepository) throws -> [OpenRepository.Snapshot] {
        let all = try repository.snapshots(cancellation: fixture.cancellation)
        return ids.compactMap { id in all.first { $0.id == id } }
    }

    /// What a command of restic prints as JSON. Without `--quiet`, which would leave changes out.
    func restic(_ arguments: String) throws -> [[String: Any]] {
        let result = try fixture.run("restic --no-lock \(arguments)")
        var objects: [[String: Any]] = []
        for line in result.output.split(separator: "\n") where line.hasPrefix("{") || line.hasPrefix("[") {
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            if let object = value as? [String: Any] { objects.append(object) }
            objects += value as? [[String: Any]] ?? []
        }
        return objects
    }
}
