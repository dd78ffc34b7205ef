/// `/RECOVERY.md` in a snapshot: how a person gets everything back with stock restic alone.
///
/// Every command works as it stands once the repository, the password file and a target directory are set in the
/// environment. The snapshot is named by its `run:` tag, because its id does not exist yet when this text is written.
/// `--include` is used instead of `SNAPSHOT:SUBFOLDER`, which restic has from 0.16 on only (its changelog, issue 3871).
package struct RecoveryDocument: Sendable {
    /// Where it stands in a snapshot's tree.
    package static let fileName = "RECOVERY.md"

    private let document: SnapshotDocument

    /// For the snapshot that `document` describes.
    package init(for document: SnapshotDocument) { self.document = document }

    /// The Markdown text, ending with a newline. It holds names, paths, sizes and commands; no secret is known here.
    package var text: String {
        var lines = introduction + everything
        for application in document.applications { lines += section(for: application) }
        if document.kind == .full { lines += console }
        lines += warnings
        return lines.joined(separator: "\n") + "\n"
    }

    private var selector: String { "latest --tag run:\(document.run)" }

    private var introduction: [String] {
        let applications = document.applications.map(\.name.text).joined(separator: ", ")
        return [
            "# How to get this snapshot back without Stillpoint",
            "",
            "This is a \(document.kind.rawValue) snapshot of the host \(Markdown.code(document.host)), taken from "
                + "\(document.started) to \(document.finished).",
            "Applications in it: \(applications.isEmpty ? "none" : applications). What exactly is in it says "
                + "`snapshot.json` beside this file.",
            "",
            "You need [restic](https://restic.net) 0.14 or newer, the repository and its password; and rsync, or whatever else "
                + "copies files with",
            "their owners, modes and attributes. Run the commands as root. Say once where the repository is, which file "
                + "holds its password, and",
            "into which empty directory to restore:",
            "",
            "```sh",
            "export RESTIC_REPOSITORY=/path/or/url/of/the/repository",
            "export RESTIC_PASSWORD_FILE=/path/to/a/file/with/the/password",
            "export TARGET=/path/to/an/empty/directory",
            "```",
        ]
    }

    private var everything: [String] {
        [
            "",
            "## Look, and take everything",
            "",
            "```sh",
            "restic snapshots --tag run:\(document.run)",
            "restic ls \(selector)",
            "restic restore \(selector) --target \"$TARGET\"",
            "```",
            "",
            "`--tag run:\(document.run)` selects this snapshot; the id that `restic snapshots` shows can stand in the "
                + "place of",
            "`\(selector)`.",
        ]
    }

    private func section(for application: SnapshotDocument.Application) -> [String] {
        var title = "## Application `\(application.name)`"
        if let name = application.title { title += ": \(Markdown.plain(name))" }
        if let version = application.version { title += ", version \(Markdown.plain(version))" }
        var lines = ["", title, ""]
        if !application.isRestorable {
            lines += [
                "**Not everything that this application needs is in this snapshot: see the warnings below.**", "",
            ]
        }
        lines.append(consistency(of: application))
        if !application.volumes.isEmpty { lines += volumes(of: application) }
        if !application.dumps.isEmpty { lines += dumps(of: application) }
        lines += manifests(of: application)
        return lines
    }

    private func consistency(of application: SnapshotDocument.Application) -> String {
        let meaning =
            switch application.consistency {
            case .application: "it was held still while its data was captured"
            case .crash: "its data was captured while it was running, as after a power cut"
            case .partial: "something was skipped"
            }
        let reason = application.consistencyReason.map { " (\(Markdown.plain($0)))" } ?? ""
        return "Consistency: `\(application.consistency.rawValue)`, \(meaning)\(reason)."
    }

    private func volumes(of application: SnapshotDocument.Application) -> [String] {
        var lines = [
            "", "### Volumes", "", "| volume | belongs at | entries | bytes |", "| --- | --- | ---: | ---: |",
        ]
        for volume in application.volumes {
            let path = Markdown.cell(volume.path)
            lines.append("| `\(volume.name)` | \(path) | \(volume.entryCount) | \(volume.byteCount) |")
        }
        lines += ["", "Restore the volumes, stop the application, and put each where it belongs:", "", "```sh"]
        for volume in application.volumes {
            let stored = "\(application.treePath)/volumes/\(volume.name)"
            lines.append("restic restore \(selector) --include \(stored) --target \"$TARGET\"")
        }
        for volume in application.volumes {
            let stored = "\(application.treePath)/volumes/\(volume.name)"
            lines.append("mkdir -p \(Shell.quoted(volume.path))")
            lines.append("rsync -aHAX --numeric-ids --delete \"$TARGET\"\(stored)/ \(Shell.quoted(volume.path + "/"))")
        }
        return lines + ["```"]
    }

    private func dumps(of application: SnapshotDocument.Application) -> [String] {
        var lines = ["", "### Dumps", ""]
        for dump in application.dumps {
            let stored = "\(application.treePath)/dumps/\(dump.name)"
            let size = "\(dump.byteCount) bytes, made by the plugin \(Markdown.code(dump.plugin))"
            if let command = dump.loadCommand, !command.isEmpty {
                let words = command.map(Shell.quoted).joined(separator: " ")
                lines += [
                    "`\(dump.name)`: \(size). Load it with the command that the plugin uses:",
                    "", "```sh", "restic dump \(selector) \(stored) | \(words)", "```",
                ]
            } else {
                lines += [
                    "`\(dump.name)`: \(size). Write it to a file and load it with the tool that made it; how the plugin "
                        + "is configured says",
                    "`application.yaml` below.",
                    "", "```sh",
                    "restic dump \(selector) \(stored) > \"$TARGET\"/\(application.name)-\(dump.name).dump",
                    "```",
                ]
            }
            lines.append("")
        }
        lines.removeLast()
        return lines
    }

    private func manifests(of application: SnapshotDocument.Application) -> [String] {
        var lines = ["", "### How it was deployed", ""]
        if !application.manifests.isEmpty {
            lines += ["| file or directory | belongs at |", "| --- | --- |"]
            for manifest in application.manifests {
                lines.append(
                    "| \(Markdown.cell("manifests/" + manifest.storedPath)) | \(Markdown.cell(manifest.path)) |")
            }
            lines.append("")
        }
        let path = application.treePath
        lines += ["```sh", "restic restore \(selector) --include \(path)/application.yaml --target \"$TARGET\""]
        if !application.manifests.isEmpty {
            lines.append("restic restore \(selector) --include \(path)/manifests --target \"$TARGET\"")
        }
        return lines + ["```"]
    }

    private var console: [String] {
        [
            "",
            "## Stillpoint's own state",
            "",
            "`console/` holds Stillpoint's catalog (an SQLite database), settings and licenses. The data of the "
                + "applications does not need it;",
            "`stillpoint bootstrap` reads it to set up the same instance on a new machine.",
        ]
    }

    private var warnings: [String] {
        guard !document.warnings.isEmpty else { return [] }
        return ["", "## Warnings", ""]
            + document.warnings.map { warning in
                let owner = warning.application.map { "`\($0)`: " } ?? ""
                let path = warning.path.map { Markdown.code($0) + ": " } ?? ""
                return "- \(owner)\(path)\(Markdown.plain(warning.message))"
            }
    }
}
