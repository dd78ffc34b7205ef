public import JSON

/// `describe`: the first call of every process. No side effects, no configuration, no network.
public enum Describe: PluginCall {
    /// `describe`
    public static let method = PluginMethod.describe
    /// The parameters.
    public typealias Parameters = DescribeParameters
    /// The result.
    public typealias Response = PluginDescription
}

/// The parameters of `describe`.
public struct DescribeParameters: WireObject {
    /// The name of the host program.
    public var hostName: String
    /// Its version.
    public var hostVersion: String
    /// The majors of the protocol that the host speaks; the plugin answers with one of them or `unsupported`.
    public var protocols: [Int64]

    /// Parameters with the majors of this package.
    public init(hostName: String, hostVersion: String, protocols: [Int64] = PluginProtocolVersion.supported) {
        self.hostName = hostName
        self.hostVersion = hostVersion
        self.protocols = protocols
    }

    /// A host that does not introduce itself has empty names.
    public init(_ reader: JSONReader) throws {
        let host = try reader.optionalReader("host")
        self.init(
            hostName: try host?.optionalString("name") ?? "", hostVersion: try host?.optionalString("version") ?? "",
            protocols: try reader.array("protocols").enumerated().map { index, value in
                guard let number = value.integerValue else {
                    throw JSONError.outOfRange("\(reader.path(of: "protocols"))[\(index)]", mustBe: "an integer")
                }
                return number
            })
    }

    /// All members.
    public var encoded: JSONObject {
        [
            "protocols": .array(protocols.map { .integer($0) }),
            "host": ["name": .string(hostName), "version": .string(hostVersion)],
        ]
    }
}
