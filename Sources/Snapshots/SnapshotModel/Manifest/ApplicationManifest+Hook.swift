package import JSON

extension ApplicationManifest {
    /// A hook plugin of an application, with its configuration and the operator's policy.
    package struct Hook: Sendable, Hashable {
        /// A plugin's name or the absolute path of its executable.
        package var plugin: String
        /// What is done for each event, by the event's name; in the plugin's terms, such as `{"command": […]}`. Empty
        /// when the plugin decides by itself.
        package var events: JSONObject
        /// The rest of the plugin's configuration; secrets stand as references.
        package var config: JSONObject
        /// How long one call may take.
        package var timeout: Duration
        /// What a failure means; nil for the default of ``onError(for:)``.
        package var onError: OnError?

        /// A hook; nothing is checked.
        package init(
            plugin: String, events: JSONObject = [:], config: JSONObject = [:], timeout: Duration = Self.defaultTimeout,
            onError: OnError? = nil
        ) {
            self.plugin = plugin
            self.events = events
            self.config = config
            self.timeout = timeout
            self.onError = onError
        }

        /// Source: design of the plugin protocol, 2.6.
        package static let defaultTimeout = Duration.seconds(60)

        /// What the plugin is opened with: ``config``, and ``events`` as the member `events` unless it is empty.
        package var pluginConfig: JSONObject {
            var result = config
            if !events.isEmpty { result["events"] = .object(events) }
            return result
        }

        /// True when the plugin is called for this event: when the event is named, when none is named, and for a post
        /// whose pre is named.
        package func receives(_ event: Event) -> Bool {
            if events.isEmpty || events[event.rawValue] != nil { return true }
            switch event {
            case .backupPost: return events[Event.backupPre.rawValue] != nil
            case .restorePost: return events[Event.restorePre.rawValue] != nil
            default: return false
            }
        }

        /// What a failure at this event means: the file's word, else `fail` before and `warn` after.
        package func onError(for event: Event) -> OnError {
            if let onError { return onError }
            switch event {
            case .backupPre, .restorePre, .rehearsalCheck: return .fail
            case .backupPost, .restorePost, .notify: return .warn
            }
        }
    }

    /// Where a file of ``manifests`` stands below `applications/NAME/manifests/` in a snapshot: relative paths as they
    /// are, absolute ones without their first slash.
    package static func storedPath(ofManifest path: String) -> String {
        path.hasPrefix("/") ? String(path.dropFirst()) : path
    }
}
