import Archiving
import Glibc
package import Logging
package import PluginHost

/// Plugins without a host: what is installed can be looked at before anything is set up, and nothing is left behind.
package struct PluginInspection: Sendable {
    /// Finds plugins where the host would.
    package let locator: PluginLocator
    /// Starts them to be asked what they are.
    package let supervisor: PluginSupervisor
    private let scratch: String

    /// - Throws: ``ServiceError/Code/inaccessible`` when there is no room for the plugins' working directories; errors of
    ///   the plugin host.
    package init(environment: Environment, logger: Logger) throws {
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/stillpoint-plugins-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = String(cString: strerror(errno))
            throw ServiceError(
                .inaccessible, "No directory for plugins can be made in \(environment["TMPDIR"] ?? "/tmp"): \(reason).")
        }
        scratch = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        locator = PluginLocator(directories: Host.pluginDirectories(environment))
        do {
            supervisor = try PluginSupervisor(
                configuration: PluginHostConfiguration(spoolRoot: scratch, hostVersion: Host.version), logger: logger)
        } catch {
            try? FileTree.remove(scratch)
            throw error
        }
    }

    /// Ends the plugins and removes what they worked in.
    package func close() {
        supervisor.shutdown()
        // A leftover below the directory for temporary files is nobody's state.
        try? FileTree.remove(scratch)
    }
}
