public import JSON

/// A value that is a JSON object on the wire: parameters, a result, or a part of one.
public protocol WireObject: Sendable, Hashable {
    /// Reads the members; unknown ones are ignored.
    ///
    /// - Throws: `JSONError`, which names the member by its path.
    init(_ reader: JSONReader) throws

    /// The members in the documented order, scalars first; absent optional members are left out.
    var encoded: JSONObject { get }
}

extension WireObject {
    /// Reads the members of `object`, found at `path`.
    public init(_ object: JSONObject, path: String = "") throws { try self.init(JSONReader(object, path: path)) }
}

/// `{}`: a result that says no more than that the call succeeded, or parameters of a call that takes none.
public struct EmptyObject: WireObject {
    /// The only value.
    public init() {}
    /// Reads nothing.
    public init(_ reader: JSONReader) {}
    /// `{}`
    public var encoded: JSONObject { [:] }
}

/// One method with its types, so that a call site cannot mix them up.
public protocol PluginCall {
    /// What the caller sends.
    associatedtype Parameters: WireObject
    /// What it gets.
    associatedtype Response: WireObject
    /// Its row in the table of methods.
    static var method: PluginMethod { get }
}
