import JSON

/// An object below `keys/`: how a password opens the repository (restic's design, "Keys, Encryption and MAC").
///
/// It is the one kind of object that is not sealed as a whole; its name is the SHA-256 of its bytes.
package struct KeyDocument: Sendable, Equatable {
    package var created: Timestamp
    package var username: String
    package var hostname: String
    /// scrypt's N, r and p.
    package var cost: UInt64
    package var blockSize: UInt64
    package var parallelism: UInt64
    package var salt: [UInt8]
    /// The sealed ``MasterKeyDocument``.
    package var data: [UInt8]

    package init(
        created: Timestamp, username: String, hostname: String, cost: UInt64, blockSize: UInt64, parallelism: UInt64,
        salt: [UInt8], data: [UInt8]
    ) {
        self.created = created
        self.username = username
        self.hostname = hostname
        self.cost = cost
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = salt
        self.data = data
    }

    /// - Throws: ``FormatError``.
    package init(decoding bytes: [UInt8]) throws {
        let reader = try documentReader(bytes, "key")
        self = try reader.document("key") { reader in
            guard try reader.string("kdf") == "scrypt" else {
                throw FormatError("key", "its key derivation is not scrypt")
            }
            return KeyDocument(
                created: Timestamp(text: try reader.optionalString("created") ?? "") ?? Timestamp(seconds: 0),
                username: try reader.optionalString("username") ?? "",
                hostname: try reader.optionalString("hostname") ?? "",
                cost: UInt64(clamping: try reader.count("N")), blockSize: UInt64(clamping: try reader.count("r")),
                parallelism: UInt64(clamping: try reader.count("p")), salt: try base64(reader, "salt"),
                data: try base64(reader, "data"))
        }
    }

    /// The JSON of the key.
    package func encoded() throws -> [UInt8] {
        try JSONObject([
            ("created", .string(created.text)), ("username", .string(username)), ("hostname", .string(hostname)),
            ("kdf", "scrypt"), ("N", .integer(Int64(clamping: cost))), ("r", .integer(Int64(clamping: blockSize))),
            ("p", .integer(Int64(clamping: parallelism))), ("salt", base64(salt)), ("data", base64(data)),
        ]).encoded()
    }
}

/// The master key inside a ``KeyDocument``.
package struct MasterKeyDocument: Sendable, Equatable {
    package var encryption: [UInt8]
    package var macK: [UInt8]
    package var macR: [UInt8]

    package init(encryption: [UInt8], macK: [UInt8], macR: [UInt8]) {
        self.encryption = encryption
        self.macK = macK
        self.macR = macR
    }

    /// - Throws: ``FormatError``.
    package init(decoding bytes: [UInt8]) throws {
        let reader = try documentReader(bytes, "master key")
        self = try reader.document("master key") { reader in
            let mac = try reader.reader("mac")
            return MasterKeyDocument(
                encryption: try base64(reader, "encrypt"), macK: try base64(mac, "k"), macR: try base64(mac, "r"))
        }
    }

    /// The JSON of the key.
    package func encoded() throws -> [UInt8] {
        let mac = JSONObject([("k", base64(macK)), ("r", base64(macR))])
        return try JSONObject([("mac", .object(mac)), ("encrypt", base64(encryption))]).encoded()
    }
}

private func base64(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: Base64.encoded(bytes), as: UTF8.self)) }

private func base64(_ reader: JSONReader, _ name: String) throws -> [UInt8] {
    guard let bytes = Base64.decoded(Array(try reader.string(name).utf8)) else {
        throw FormatError("key", "\(name) is not base64")
    }
    return bytes
}
