import JSON

/// The object `config`: restic's design, section "Repository Format".
package struct RepositoryConfig: Sendable, Equatable {
    /// Versions that can be read; 2 is written.
    package static let readableVersions: ClosedRange<Int64> = 1...2

    /// Format version.
    package var version: Int64
    /// 64 random hexadecimal digits that tell repositories apart wherever they lie.
    package var id: String
    /// The chunker's polynomial in hexadecimal.
    package var chunkerPolynomial: String

    package init(version: Int64, id: String, chunkerPolynomial: String) {
        self.version = version
        self.id = id
        self.chunkerPolynomial = chunkerPolynomial
    }

    /// - Throws: ``FormatError``; an unknown version says which program is needed.
    package init(decoding bytes: [UInt8]) throws {
        let reader = try documentReader(bytes, "config")
        try self.init(
            version: reader.document("config") { try $0.integer("version") },
            id: reader.document("config") { try $0.string("id") },
            chunkerPolynomial: reader.document("config") { try $0.string("chunker_polynomial") })
        guard Self.readableVersions.contains(version) else {
            throw FormatError("config", "version \(version) of the repository format is newer than this program knows")
        }
    }

    /// The JSON of the config.
    package func encoded() throws -> [UInt8] {
        try JSONObject([
            ("version", .integer(version)), ("id", .string(id)), ("chunker_polynomial", .string(chunkerPolynomial)),
        ]).encoded()
    }
}

/// Parses the JSON of a small document.
func documentReader(_ bytes: [UInt8], _ object: String) throws -> JSONReader {
    do {
        return try JSONReader(try JSONValue.parse(bytes, limits: .file))
    } catch {
        throw FormatError(object, "\(error)")
    }
}

extension JSONReader {
    /// Reads a member; a wrong one is told as a fault of the document.
    func document<Value>(_ object: String, _ body: (JSONReader) throws -> Value) throws -> Value {
        do { return try body(self) } catch let error as FormatError { throw error } catch {
            throw FormatError(object, "\(error)")
        }
    }
}
