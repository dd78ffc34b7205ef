import Glibc

/// The environment of a plugin: an allow-list, never the host's own. Source: protocol, host rules, 6.
package enum PluginEnvironment {
    /// Passed on when the host has them.
    package static let inherited = ["PATH", "HOME", "USER", "LANG", "TZ"]

    /// All variables of a plugin.
    ///
    /// - Parameters:
    ///   - passed: further names that the operator listed; those that the host does not have are left out.
    ///   - temporaryDirectory: the plugin's own, as TMPDIR.
    ///   - lookup: reads a variable of the host.
    /// - Returns: `NAME=value`, sorted by name.
    package static func variables(
        passed: [String], temporaryDirectory: String, lookup: (String) -> String? = Self.ofHost
    ) -> [String] {
        var variables: [String: String] = [:]
        for name in inherited + passed { variables[name] = lookup(name) }
        if variables["PATH"] == nil { variables["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
        variables["TMPDIR"] = temporaryDirectory
        variables["LC_ALL"] = "C.UTF-8"
        variables["PYTHONUNBUFFERED"] = "1"
        variables["PYTHONUTF8"] = "1"
        variables["STILLPOINT_PLUGIN"] = "1"
        variables["STILLPOINT_PLUGIN_PROTOCOLS"] = "1"
        return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// A variable of the host; nil when it is not set.
    package static func ofHost(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
