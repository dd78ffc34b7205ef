public import JSON

/// The notification `cancel` of the host: stop working on a request, and answer it nevertheless.
public struct CancelParameters: WireObject {
    /// The id of the request; one that is not known is ignored.
    public var request: String

    /// The id of the request.
    public init(request: String) { self.request = request }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws { self.init(request: try reader.string("request")) }

    /// All members.
    public var encoded: JSONObject { ["request": .string(request)] }
}
