/// `storage.delete`: removes an object; one that is absent is success, one that is locked is `retained`.
public enum StorageDelete: PluginCall {
    /// `storage.delete`
    public static let method = PluginMethod.storageDelete
    /// The parameters.
    public typealias Parameters = StorageKeyParameters
    /// Nothing but success.
    public typealias Response = EmptyObject
}
