public import JSON

/// `open`: hands over configuration, secrets and spool; exactly once a process, before any other call but `describe`.
public enum Open: PluginCall {
    /// `open`
    public static let method = PluginMethod.open
    /// The parameters.
    public typealias Parameters = OpenParameters
    /// The result.
    public typealias Response = OpenResult
}

/// Whether a plugin may change what it stores.
public enum AccessMode: String, Sendable, Hashable {
    /// Reads only: put and delete are answered with `permissionDenied`.
    case readOnly = "ro"
    /// Reads and writes.
    case readWrite = "rw"
}

/// The directories that host and plugin share: 0700, one set a process.
public struct SpoolDirectories: WireObject {
    /// Where the host puts the files that a plugin reads (0400).
    public var input: SpoolPath
    /// Where the plugin writes results.
    public var output: SpoolPath
    /// The plugin's TMPDIR.
    public var temporary: SpoolPath

    /// All three.
    public init(input: SpoolPath, output: SpoolPath, temporary: SpoolPath) {
        self.input = input
        self.output = output
        self.temporary = temporary
    }

    /// Reads `in`, `out` and `tmp`.
    public init(_ reader: JSONReader) throws {
        self.init(
            input: try reader.spoolPath("in"), output: try reader.spoolPath("out"),
            temporary: try reader.spoolPath("tmp"))
    }

    /// All members.
    public var encoded: JSONObject {
        ["in": .string(input.text), "out": .string(output.text), "tmp": .string(temporary.text)]
    }
}

/// The parameters of `open`.
public struct OpenParameters: WireObject {
    /// A name for logs, such as that of the destination.
    public var instance: String
    /// Whether the plugin may write.
    public var mode: AccessMode
    /// The shared directories.
    public var spool: SpoolDirectories
    /// Checked against the plugin's schema by the host, defaults merged, secrets in the clear.
    public var config: JSONObject

    /// All members.
    public init(instance: String, mode: AccessMode, spool: SpoolDirectories, config: JSONObject) {
        self.instance = instance
        self.mode = mode
        self.spool = spool
        self.config = config
    }

    /// - Throws: `JSONError`; an unknown mode is out of range.
    public init(_ reader: JSONReader) throws {
        guard let mode = AccessMode(rawValue: try reader.string("mode")) else {
            throw JSONError.outOfRange(reader.path(of: "mode"), mustBe: "'ro' or 'rw'")
        }
        self.init(
            instance: try reader.string("instance"), mode: mode,
            spool: try SpoolDirectories(try reader.reader("spool")), config: try reader.object("config"))
    }

    /// All members.
    public var encoded: JSONObject {
        [
            "instance": .string(instance), "mode": .string(mode.rawValue), "spool": .object(spool.encoded),
            "config": .object(config),
        ]
    }
}

/// The result of `open`.
public struct OpenResult: WireObject {
    /// An existing directory on the file system where objects will end: the host makes its spool there, so that `put`
    /// can be a link instead of a copy. Nil where that has no meaning.
    public var spoolNear: SpoolPath?

    /// With or without a place for the spool.
    public init(spoolNear: SpoolPath? = nil) { self.spoolNear = spoolNear }

    /// A path outside of the grammar is as good as none.
    public init(_ reader: JSONReader) throws {
        self.init(spoolNear: try reader.optionalString("spool_near").flatMap { SpoolPath($0) })
    }

    /// `spool_near` where there is one.
    public var encoded: JSONObject { spoolNear.map { ["spool_near": .string($0.text)] } ?? [:] }
}
