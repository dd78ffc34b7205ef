import TestSupport
import Testing

/// Anybody can write a storage plugin: those of `examples/plugins` carry whole backups and restores.
@Suite(.enabled(if: Sandbox.canJudge)) struct ThirdPartyStorageTests {
    @Test(arguments: ["storage-bash/stillpoint-storage-bash", "storage-python/stillpoint-storage-python"])
    func `a plugin of the examples stores and restores an application, and restic reads what it stored`(
        _ plugin: String
    ) throws {
        let sandbox = try Sandbox()
        try sandbox.run(
            "mkdir repository && stillpoint init --storage \(Sandbox.packageRoot)/examples/plugins/\(plugin) "
                + "--set path=repository --password-file password")
        try sandbox.addApplication("notes")
        try sandbox.run(
            """
            cp -a notes/data before
            stillpoint destination test
            stillpoint backup
            stillpoint backup --application notes
            rm -r notes/data
            stillpoint restore latest --yes
            stillpoint check --read-data
            \(Sandbox.restic) check --read-data
            \(Sandbox.restic) restore latest --target copy
            """)
        #expect(try sandbox.difference(between: "before", and: "notes/data") == "")
        #expect(try sandbox.difference(between: "before", and: "copy/applications/notes/volumes/data") == "")
    }
}
