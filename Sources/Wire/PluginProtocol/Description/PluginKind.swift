/// What a plugin is for; one plugin may be of several kinds.
public enum PluginKind: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Keeps objects.
    case storage
    /// Acts on events, such as before and after a backup.
    case hook
    /// Produces dumps and takes them back.
    case source

    /// The word on the wire.
    public var description: String { rawValue }
}
