/// The version of the protocol in this package.
public enum PluginProtocolVersion {
    /// The major version; within it only additions are made.
    public static let current: Int64 = 1
    /// The majors this package speaks, best first.
    public static let supported: [Int64] = [1]
}
