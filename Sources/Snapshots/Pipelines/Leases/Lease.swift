package import JSON
package import PluginProtocol
package import SnapshotModel

/// The promise that what a pre hook did to an application will be undone by its post hook, whatever crashes.
///
/// Holds everything that sending the post needs, so that it can be sent when neither the run nor the application's
/// registration exists any more. Secrets stand in ``config`` as references, never as themselves.
package struct Lease: Sendable, Hashable {
    /// What is bracketed by a pre and a post.
    package enum Pair: String, Sendable, Hashable, CaseIterable {
        /// `backup.pre` … `backup.post`
        case backup
        /// `restore.pre` … `restore.post`
        case restore

        /// The event that begins it.
        package var pre: HookEvent { self == .backup ? .backupPre : .restorePre }
        /// The event that ends it.
        package var post: HookEvent { self == .backup ? .backupPost : .restorePost }
    }

    /// How the plugin is found and started.
    package struct Plugin: Sendable, Hashable {
        /// What the application's manifest says: a name, or the path of an executable.
        package var name: String
        /// The absolute path of the executable that was used.
        package var executable: String
        /// Its arguments.
        package var arguments: [String]

        /// A plugin as it was found when the lease was taken.
        package init(name: String, executable: String, arguments: [String] = []) {
            self.name = name
            self.executable = executable
            self.arguments = arguments
        }
    }

    /// From 1 within a run, in the order of the pre hooks.
    package let id: Int64
    /// The run.
    package let run: RunID
    /// The application that is held.
    package let application: ApplicationName
    /// Which events.
    package let pair: Pair
    /// The hook plugin.
    package let plugin: Plugin
    /// What the plugin is opened with.
    package let config: JSONObject
    /// The `context` of both events.
    package let context: JSONObject
    /// How long the pre may take.
    package let preTimeout: Duration
    /// How long the post may take.
    package let postTimeout: Duration

    /// A lease with all of its parts.
    package init(
        id: Int64, run: RunID, application: ApplicationName, pair: Pair, plugin: Plugin, config: JSONObject,
        context: JSONObject, preTimeout: Duration, postTimeout: Duration
    ) {
        self.id = id
        self.run = run
        self.application = application
        self.pair = pair
        self.plugin = plugin
        self.config = config
        self.context = context
        self.preTimeout = preTimeout
        self.postTimeout = postTimeout
    }

    /// What the plugin gets as `run`, the same for pre and post: `RUN.ID`. Not the run alone, because one run can hold
    /// several applications through the same plugin, and a plugin may keep its state under this name.
    package var pairing: String { "\(run).\(id)" }
}

extension Lease {
    /// The payload of `lease.intended`.
    var json: JSONObject {
        [
            "lease": .integer(id), "run": .string(run.text), "application": .string(application.text),
            "pair": .string(pair.rawValue), "plugin": .journalText(plugin.name),
            "executable": .journalText(plugin.executable),
            "arguments": .array(plugin.arguments.map { .journalText($0) }),
            "pre_timeout_ms": .integer(preTimeout.wholeMilliseconds),
            "post_timeout_ms": .integer(postTimeout.wholeMilliseconds), "config": .object(config),
            "context": .object(context),
        ]
    }

    /// - Throws: `JSONError`, `SnapshotModelError`.
    init(_ reader: JSONReader) throws {
        guard let pair = Pair(rawValue: try reader.string("pair")) else {
            throw JSONError.outOfRange(reader.path(of: "pair"), mustBe: "backup or restore")
        }
        self.init(
            id: try reader.count("lease"), run: try RunID(try reader.string("run")),
            application: try ApplicationName(try reader.string("application")), pair: pair,
            plugin: Plugin(
                name: try reader.string("plugin"), executable: try reader.string("executable"),
                arguments: try reader.optionalStrings("arguments") ?? []), config: try reader.object("config"),
            context: try reader.object("context"), preTimeout: .milliseconds(try reader.count("pre_timeout_ms")),
            postTimeout: .milliseconds(try reader.count("post_timeout_ms")))
    }
}
