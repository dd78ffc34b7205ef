/// `check`: tries connection and permissions; may write and remove one private object. Optional.
public enum Check: PluginCall {
    /// `check`
    public static let method = PluginMethod.check
    /// None.
    public typealias Parameters = EmptyObject
    /// Nothing but success.
    public typealias Response = EmptyObject
}
