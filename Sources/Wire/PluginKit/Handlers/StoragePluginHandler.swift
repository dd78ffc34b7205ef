/// Keeps objects. The rules of each call are in protocol/README.md; those that decide whether data is lost are here.
public protocol StoragePluginHandler: PluginHandler {
    /// Stores the file at `parameters.path`: visible only when whole and durable, and durable before this returns.
    ///
    /// - Throws: ``PluginFailure``: `conflict` under `ifAbsent` when other bytes are there, `noSpace`, `unavailable` …
    func put(_ parameters: StoragePutParameters, _ call: CallContext) throws -> PutResult

    /// Writes the object, or exactly the range, to `parameters.path`.
    ///
    /// - Throws: ``PluginFailure``: `notFound` only when the object is positively absent, `invalidRange` beyond its end.
    func get(_ parameters: StorageGetParameters, _ call: CallContext) throws -> GetResult

    /// - Throws: ``PluginFailure``: `notFound` only when the object is positively absent.
    func stat(_ key: ObjectKey, _ call: CallContext) throws -> ObjectStat

    /// One page of the objects with a prefix; an outage is an error, never an empty page.
    func list(_ parameters: StorageListParameters, _ call: CallContext) throws -> ListPage

    /// Removes an object; one that is absent is success.
    func delete(_ key: ObjectKey, _ call: CallContext) throws
}
