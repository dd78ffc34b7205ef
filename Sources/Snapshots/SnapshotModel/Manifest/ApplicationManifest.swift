package import JSON

/// What an application.yaml says: how an application is deployed, what data it has, how it is brought to its still point.
///
/// A value of this type has passed every check that needs no look at the machine; whether volumes exist and plugins start
/// is checked when a run is planned.
package struct ApplicationManifest: Sendable, Hashable {
    /// The application's name, `metadata.name`.
    package var name: ApplicationName
    /// The name for people; nil when the file has none.
    package var title: String?
    /// The deployed version as it is written in the file, without an order.
    package var version: String?
    /// Files and directories that describe the deployment: relative to the directory of application.yaml, or absolute.
    /// Without `.`, `..` and trailing slashes; none lies within another.
    package var manifests: [String]
    /// Directories of data, with different names; none lies within another.
    package var volumes: [Volume]
    /// Streams that plugins produce, with different names.
    package var dumps: [Dump]
    /// Hook plugins, in the order in which they are called before a capture.
    package var hooks: [Hook]
    /// Applications that name the same group are held together; nil for an application that is held alone.
    package var group: String?
    /// The longest that the application may be held still; nil for no limit.
    package var maxHold: Duration?
    /// What the operator promises.
    package var objectives: Objectives
    /// The vendor's license; nil when snapshots need none.
    package var license: LicenseRequirement?

    /// A manifest without a file; nothing is checked.
    package init(
        name: ApplicationName, title: String? = nil, version: String? = nil, manifests: [String] = [],
        volumes: [Volume] = [], dumps: [Dump] = [], hooks: [Hook] = [], group: String? = nil, maxHold: Duration? = nil,
        objectives: Objectives = Objectives(), license: LicenseRequirement? = nil
    ) {
        self.name = name
        self.title = title
        self.version = version
        self.manifests = manifests
        self.volumes = volumes
        self.dumps = dumps
        self.hooks = hooks
        self.group = group
        self.maxHold = maxHold
        self.objectives = objectives
        self.license = license
    }

    /// A named directory of data.
    package struct Volume: Sendable, Hashable {
        /// A ``Slug``.
        package var name: String
        /// Absolute, without `.`, `..` and trailing slashes, never `/`.
        package var path: String
        /// Patterns of what is left out. Without a slash a pattern fits the name of any entry at any depth, with one it
        /// fits the path below the volume; a slash at the end means directories only; `**` spans directories.
        package var exclude: [String]
        /// Whether other file systems mounted within the volume are left out.
        package var oneFileSystem: Bool
        /// Whether directories that say so are left out. Source: Cache Directory Tagging Specification, CACHEDIR.TAG.
        package var excludeCaches: Bool
        /// Directories that contain one of these files are left out, all but that file.
        package var excludeIfPresent: [String]

        /// A volume; nothing is checked.
        package init(
            name: String, path: String, exclude: [String] = [], oneFileSystem: Bool = false,
            excludeCaches: Bool = false,
            excludeIfPresent: [String] = []
        ) {
            self.name = name
            self.path = path
            self.exclude = exclude
            self.oneFileSystem = oneFileSystem
            self.excludeCaches = excludeCaches
            self.excludeIfPresent = excludeIfPresent
        }
    }

    /// A named stream of a source plugin.
    package struct Dump: Sendable, Hashable {
        /// A ``Slug``.
        package var name: String
        /// A plugin's name or the absolute path of its executable.
        package var plugin: String
        /// What the plugin is opened with; secrets stand as references.
        package var config: JSONObject

        /// A dump; nothing is checked.
        package init(name: String, plugin: String, config: JSONObject = [:]) {
            self.name = name
            self.plugin = plugin
            self.config = config
        }
    }

    /// What a hook plugin is told.
    package enum Event: String, Sendable, Hashable, CaseIterable {
        /// Come to the still point.
        case backupPre = "backup.pre"
        /// Go on; also after everything that went wrong.
        case backupPost = "backup.post"
        /// Stop, data will be replaced.
        case restorePre = "restore.pre"
        /// Start again.
        case restorePost = "restore.post"
        /// Prove what was restored in a scratch place.
        case rehearsalCheck = "rehearsal.check"
        /// Something happened that somebody may want to know.
        case notify
    }

    /// What a run does when a hook fails.
    package enum OnError: String, Sendable, Hashable, CaseIterable {
        /// The application has failed.
        case fail
        /// It goes on with a warning.
        case warn
    }

    /// What the operator promises; shown and watched, never enforced.
    package struct Objectives: Sendable, Hashable {
        /// The recovery point objective: how old the newest snapshot may be.
        package var rpo: Duration?
        /// The recovery time objective: how long a restore may take.
        package var rto: Duration?

        /// Two promises, or none.
        package init(rpo: Duration? = nil, rto: Duration? = nil) {
            self.rpo = rpo
            self.rto = rto
        }
    }

    /// What a license must be signed with.
    package struct LicenseRequirement: Sendable, Hashable {
        /// The vendor's public key as it stands in the file.
        package var publicKey: String

        /// A requirement by its key.
        package init(publicKey: String) { self.publicKey = publicKey }
    }
}
