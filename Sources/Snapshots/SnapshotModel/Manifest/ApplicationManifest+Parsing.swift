import JSON

extension ApplicationManifest {
    /// The only `apiVersion` there is.
    package static let apiVersion = "stillpoint/v1"

    /// Reads an application.yaml.
    ///
    /// - Throws: ``ManifestInvalid`` with every mistake of the file: not YAML (then only that one), unknown keys, keys that
    ///   stand twice or are missing, wrong types, names that are no slugs, paths that are not absolute or lie within each
    ///   other, durations without a unit.
    package static func parse(_ text: String) throws(ManifestInvalid) -> ApplicationManifest {
        var issues: [ManifestIssue] = []
        let root = YAMLDocument.compose(text, issues: &issues)
        let log = IssueLog(issues)
        let manifest = root.flatMap { read(ManifestValue(node: $0, path: "", log: log)) }
        guard let manifest, log.issues.isEmpty else { throw ManifestInvalid(issues: log.sorted) }
        return manifest
    }

    private static func read(_ root: ManifestValue) -> ApplicationManifest? {
        guard let top = root.map(known: ["apiVersion", "kind", "metadata", "spec"]) else { return nil }
        expect(top.required("apiVersion", "write \(apiVersion)"), apiVersion)
        expect(top.required("kind", "write Application"), "Application")
        let metadata = top.required("metadata", "it holds the application's name")?
            .map(known: ["name", "title", "version"])
        let name = metadata?.required("name", "the application's name, \(Slug.rule)")?.slug(of: "an application")
        let title = metadata?.optional("title")?.text()
        let version = metadata?.optional("version")?.text(allowsNumbers: true)
        let spec = top.required("spec", "it says what belongs to the application")?.map(known: [
            "manifests", "volumes", "dumps", "hooks", "group", "maxHold", "objectives", "license",
        ])
        guard let spec else { return nil }
        let manifests = spec.optional("manifests").map(readManifests) ?? []
        let volumes = spec.optional("volumes").map(readVolumes) ?? []
        let dumps = spec.optional("dumps").map(readDumps) ?? []
        let hooks = spec.optional("hooks").map(readHooks) ?? []
        let group = spec.optional("group")?.slug(of: "a group")
        let maxHold = spec.optional("maxHold")?.duration()
        let objectives = spec.optional("objectives").map(readObjectives) ?? Objectives()
        let license = spec.optional("license").flatMap(readLicense)
        guard let name else { return nil }
        return ApplicationManifest(
            name: ApplicationName(valid: name), title: title, version: version, manifests: manifests, volumes: volumes,
            dumps: dumps, hooks: hooks, group: group, maxHold: maxHold, objectives: objectives, license: license)
    }

    private static func expect(_ value: ManifestValue?, _ expected: String) {
        guard let value, let text = value.text(), text != expected else { return }
        value.report("must be \(expected), not '\(text)'", suggestion: expected)
    }

    private static func readObjectives(_ value: ManifestValue) -> Objectives {
        let map = value.map(known: ["rpo", "rto"])
        return Objectives(rpo: map?.optional("rpo")?.duration(), rto: map?.optional("rto")?.duration())
    }

    private static func readLicense(_ value: ManifestValue) -> LicenseRequirement? {
        let map = value.map(known: ["publicKey"])
        return map?.required("publicKey", "the vendor's public key")?.text().map(LicenseRequirement.init(publicKey:))
    }

    private static func readDumps(_ value: ManifestValue) -> [Dump] {
        var names = FirstLines()
        return (value.list(of: "dumps") ?? []).compactMap { element in
            guard let map = element.map(known: ["name", "plugin", "config"]) else { return nil }
            let name = map.required("name", "the dump's name in the snapshot").flatMap {
                names.unique($0, $0.slug(of: "a dump"), "dump")
            }
            let plugin = map.required("plugin", "the source plugin that makes the dump")?.plugin()
            let config = map.optional("config").map { $0.object() } ?? [:]
            guard let name, let plugin, let config else { return nil }
            return Dump(name: name, plugin: plugin, config: config)
        }
    }
}

/// Remembers where names stood first, to report the second.
struct FirstLines {
    private var lines: [String: Int] = [:]

    /// `name`, or nil with a report when it stood before.
    mutating func unique(_ value: ManifestValue, _ name: String?, _ what: String) -> String? {
        guard let name else { return nil }
        if let line = lines[name] {
            value.report("the \(what) '\(name)' stands twice, first in line \(line)")
            return nil
        }
        lines[name] = value.node.line
        return name
    }
}
