extension ApplicationManifest {
    static func readVolumes(_ value: ManifestValue) -> [Volume] {
        var names = FirstLines()
        var paths = NestedPaths()
        return (value.list(of: "volumes") ?? []).compactMap { element in
            let known = ["name", "path", "exclude", "oneFileSystem", "excludeCaches", "excludeIfPresent"]
            guard let map = element.map(known: known) else { return nil }
            let name = map.required("name", "the volume's name in the snapshot").flatMap {
                names.unique($0, $0.slug(of: "a volume"), "volume")
            }
            let path = map.required("path", "the directory with the data").flatMap { value -> String? in
                guard let path = value.absolutePath() else { return nil }
                guard path != "/" else {
                    value.report("the whole file system cannot be a volume; name the directory with the data")
                    return nil
                }
                paths.check(value, path, owner: name.map { "volume '\($0)'" } ?? "a volume")
                return path
            }
            let exclude = map.optional("exclude")?.texts(of: "patterns") ?? []
            let oneFileSystem = map.optional("oneFileSystem")?.bool() ?? false
            let excludeCaches = map.optional("excludeCaches")?.bool() ?? false
            let excludeIfPresent = map.optional("excludeIfPresent").map(readFileNames) ?? []
            guard let name, let path else { return nil }
            return Volume(
                name: name, path: path, exclude: exclude, oneFileSystem: oneFileSystem, excludeCaches: excludeCaches,
                excludeIfPresent: excludeIfPresent)
        }
    }

    private static func readFileNames(_ value: ManifestValue) -> [String] {
        (value.list(of: "file names") ?? []).compactMap { element in
            guard let name = element.text() else { return nil }
            guard !name.contains("/"), name != ".", name != ".." else {
                element.report("must be the name of a file, without directories, not '\(name)'")
                return nil
            }
            return name
        }
    }

    static func readManifests(_ value: ManifestValue) -> [String] {
        var paths = NestedPaths()
        return (value.list(of: "paths") ?? []).compactMap { element in
            guard let text = element.text(), let components = element.normalized(text) else { return nil }
            guard !components.isEmpty else {
                element.report("must name a file or a directory, not '\(text)'; list what belongs to the deployment")
                return nil
            }
            let stored = components.joined(separator: "/")
            paths.check(element, "/" + stored, owner: "'\(text)'")
            return text.hasPrefix("/") ? "/" + stored : stored
        }
    }
}

/// Reports a path that lies within another, or contains it, or is the same.
struct NestedPaths {
    private var seen: [(path: String, owner: String, line: Int)] = []

    mutating func check(_ value: ManifestValue, _ path: String, owner: String) {
        if let other = seen.first(where: { $0.path == path }) {
            value.report("'\(path)' is the same place as \(other.owner) in line \(other.line)")
        } else if let outer = seen.first(where: { path.hasPrefix($0.path + "/") }) {
            value.report("'\(path)' lies within \(outer.owner) ('\(outer.path)') in line \(outer.line)")
        } else if let inner = seen.first(where: { $0.path.hasPrefix(path + "/") }) {
            value.report("'\(path)' contains \(inner.owner) ('\(inner.path)') in line \(inner.line)")
        }
        seen.append((path, owner, value.node.line))
    }
}
