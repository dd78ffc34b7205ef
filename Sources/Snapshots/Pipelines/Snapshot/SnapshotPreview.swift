import Catalog
package import JSON
package import SnapshotModel

/// What a snapshot would capture; for `--dry-run`. Starts the plugins and checks everything, freezes nothing.
package struct SnapshotPreview {
    /// One application of the preview.
    package struct Application: Sendable {
        package let name: ApplicationName
        package let manifest: ApplicationManifest?
        /// Why it cannot be captured; nil when it can.
        package let problem: String?

        /// Lines for people.
        package var lines: [String] {
            guard let manifest else { return ["\(name): \(problem ?? "")"] }
            var lines = ["application \(name)"]
            lines += manifest.hooks.filter { $0.receives(.backupPre) }.map {
                "  hold     by \($0.plugin), at most \(DurationText.format($0.timeout)) to answer"
            }
            lines += manifest.volumes.map { "  volume   \($0.name)  \($0.path)" }
            lines += manifest.dumps.map { "  dump     \($0.name) by \($0.plugin)" }
            lines += manifest.manifests.map { "  manifest \($0)" }
            if let problem { lines.append("  problem  \(problem)") }
            return lines
        }

        /// For scripts.
        package var json: JSONObject {
            var object: JSONObject = ["name": .string(name.text)]
            if let manifest {
                object["volumes"] = .array(manifest.volumes.map { .string($0.path) })
                object["dumps"] = .array(manifest.dumps.map { .string($0.name) })
                object["manifests"] = .array(manifest.manifests.map { .string($0) })
                object["hooks"] = .array(manifest.hooks.map { .string($0.plugin) })
            }
            object["problem"] = problem.map { .string($0) }
            return object
        }
    }

    private let host: PipelineHost

    package init(_ host: PipelineHost) { self.host = host }

    /// - Parameter name: only this application; all when nil.
    package func applications(only name: ApplicationName?) throws -> [Application] {
        let registered = try name.map { [try host.catalog.application(named: $0)] } ?? host.catalog.applications()
        return registered.map { application in
            let manifest = try? ApplicationManifest.parse(application.manifestText)
            do {
                try ApplicationPlanner(host: host).plan(application).close()
                return Application(name: application.name, manifest: manifest, problem: nil)
            } catch {
                return Application(name: application.name, manifest: manifest, problem: "\(error)")
            }
        }
    }
}
