import SnapshotModel

/// A snapshot for people.
struct SnapshotText {
    private let summary: SnapshotSummary
    private let document: SnapshotDocument?

    init(_ summary: SnapshotSummary, _ document: SnapshotDocument?) {
        self.summary = summary
        self.document = document
    }

    var lines: [String] {
        var lines = [
            "snapshot     \(summary.id)", "time         \(Units.moment(summary.time))", "host         \(summary.host)",
        ]
        guard let document else {
            lines.append("made by      another program; it is restored as files, with --target DIR")
            lines.append("paths        \(summary.paths.joined(separator: ", "))")
            if !summary.tags.isEmpty { lines.append("tags         \(summary.tags.joined(separator: ", "))") }
            return lines
        }
        lines.append(
            "kind         \(document.kind.rawValue)\(document.kind == .full ? ": console and all applications" : ": one application")"
        )
        // The summary knows of applications that are missing as a whole.
        let consistency = max(document.consistency, summary.consistency ?? .application)
        lines.append("consistency  \(consistency.rawValue)")
        lines.append("run          \(document.run)")
        let tags = summary.meaning?.others ?? []
        if !tags.isEmpty { lines.append("tags         \(tags.joined(separator: ", "))") }
        for application in document.applications { lines += section(application) }
        if !document.warnings.isEmpty {
            lines += ["", "warnings"]
            for warning in document.warnings {
                lines.append(
                    "  \(warning.application.map { "\($0): " } ?? "")\(warning.path.map { "\($0): " } ?? "")\(warning.message)"
                )
            }
        }
        return lines
    }

    private func section(_ application: SnapshotDocument.Application) -> [String] {
        var lines = ["", "application \(application.name)\(application.version.map { " \($0)" } ?? "")"]
        lines.append("  restorable   \(application.isRestorable ? "yes" : "not as a whole")")
        lines.append(
            "  consistency  \(application.consistency.rawValue)\(application.consistencyReason.map { " (\($0))" } ?? "")"
        )
        if let held = application.held { lines.append("  held still   \(Units.time(held))") }
        for volume in application.volumes {
            lines.append(
                "  volume       \(volume.name)  \(volume.path)  \(volume.entryCount) entries, \(Units.bytes(volume.byteCount))"
            )
        }
        for dump in application.dumps {
            lines.append("  dump         \(dump.name)  \(Units.bytes(dump.byteCount)) by \(dump.plugin)")
        }
        for manifest in application.manifests { lines.append("  manifest     \(manifest.path)") }
        for hook in application.hooks {
            lines.append(
                "  hook         \(hook.plugin) \(hook.event): \(hook.outcome.rawValue)\(hook.message.map { ", \($0)" } ?? "")"
            )
        }
        return lines
    }
}
