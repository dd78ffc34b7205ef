/// An index file: which blobs lie in which packs (restic's design, section "Indexing").
package enum IndexDocument {
    /// The JSON of an index, members in restic's order.
    package static func encoded(_ packs: [(id: ObjectID, blobs: [PackedBlob])], supersedes: [ObjectID] = []) -> [UInt8]
    {
        var output: [UInt8] = []
        output.reserveCapacity(packs.reduce(0) { $0 + 100 + $1.blobs.count * 160 })
        output.append(0x7B)
        if !supersedes.isEmpty {
            output.append(contentsOf: "\"supersedes\":[".utf8)
            for (index, id) in supersedes.enumerated() {
                if index > 0 { output.append(0x2C) }
                quoted(id, &output)
            }
            output.append(contentsOf: "],".utf8)
        }
        output.append(contentsOf: "\"packs\":[".utf8)
        for (index, pack) in packs.enumerated() {
            if index > 0 { output.append(0x2C) }
            output.append(contentsOf: "{\"id\":".utf8)
            quoted(pack.id, &output)
            output.append(contentsOf: ",\"blobs\":[".utf8)
            for (index, blob) in pack.blobs.enumerated() {
                if index > 0 { output.append(0x2C) }
                append(blob, &output)
            }
            output.append(contentsOf: "]}".utf8)
        }
        output.append(contentsOf: "]}".utf8)
        return output
    }

    private static func quoted(_ id: ObjectID, _ output: inout [UInt8]) {
        output.append(0x22)
        id.appendHexadecimal(to: &output)
        output.append(0x22)
    }

    private static func append(_ blob: PackedBlob, _ output: inout [UInt8]) {
        output.append(contentsOf: "{\"id\":".utf8)
        quoted(blob.id, &output)
        output.append(
            contentsOf: (blob.kind == .data ? ",\"type\":\"data\",\"offset\":" : ",\"type\":\"tree\",\"offset\":").utf8)
        GoText.appendDecimal(UInt64(blob.offset), to: &output)
        output.append(contentsOf: ",\"length\":".utf8)
        GoText.appendDecimal(UInt64(blob.length), to: &output)
        if let length = blob.uncompressedLength {
            output.append(contentsOf: ",\"uncompressed_length\":".utf8)
            GoText.appendDecimal(UInt64(length), to: &output)
        }
        output.append(0x7D)
    }

    /// Calls `pack` with each pack and its blobs.
    ///
    /// - Throws: ``FormatError`` for bytes that are no index.
    package static func forEachPack(
        in bytes: UnsafeRawBufferPointer, _ pack: (ObjectID, [PackedBlob]) throws(FormatError) -> Void
    ) throws(FormatError) {
        var scanner = ByteScanner(bytes, object: "index")
        try scanner.object { (scanner, key) throws(FormatError) in
            guard key.equals("packs") else { return try scanner.skipValue() }
            guard !scanner.takeNull() else { return }
            try scanner.array { (scanner) throws(FormatError) in
                var id: ObjectID?
                var blobs: [PackedBlob] = []
                try scanner.object { (scanner, key) throws(FormatError) in
                    if key.equals("id") {
                        id = try scanner.id()
                    } else if key.equals("blobs") {
                        guard !scanner.takeNull() else { return }
                        try scanner.array { (scanner) throws(FormatError) in blobs.append(try blob(&scanner)) }
                    } else {
                        try scanner.skipValue()
                    }
                }
                guard let id else { throw scanner.failure("a pack without an id") }
                try pack(id, blobs)
            }
        }
        try scanner.expectEnd()
    }

    private static func blob(_ scanner: inout ByteScanner) throws(FormatError) -> PackedBlob {
        let start = scanner.position
        if let blob = usualBlob(&scanner) { return blob }
        scanner.goBack(to: start)
        return try anyBlob(&scanner)
    }

    /// A blob as restic and we write it, member by member without white space; nil for any other, also a wrong one.
    private static func usualBlob(_ scanner: inout ByteScanner) -> PackedBlob? {
        guard scanner.takeExactly("{\"id\":\""), let id = scanner.takeID() else { return nil }
        let kind: BlobKind
        if scanner.takeExactly("\",\"type\":\"data\",\"offset\":") {
            kind = .data
        } else if scanner.takeExactly("\",\"type\":\"tree\",\"offset\":") {
            kind = .tree
        } else {
            return nil
        }
        guard let offset = scanner.takeShortNumber(), scanner.takeExactly(",\"length\":"),
            let length = scanner.takeShortNumber(), length >= 32
        else { return nil }
        var uncompressedLength: UInt32?
        if scanner.takeExactly(",\"uncompressed_length\":") {
            guard let value = scanner.takeShortNumber(), value > 0 else { return nil }
            uncompressedLength = value
        }
        guard scanner.takeExactly("}") else { return nil }
        return PackedBlob(id: id, kind: kind, offset: offset, length: length, uncompressedLength: uncompressedLength)
    }

    private static func anyBlob(_ scanner: inout ByteScanner) throws(FormatError) -> PackedBlob {
        var id: ObjectID?
        var kind: BlobKind?
        var offset: UInt32?
        var length: UInt32?
        var uncompressedLength: UInt32?
        try scanner.object { (scanner, key) throws(FormatError) in
            if key.equals("id") {
                id = try scanner.id()
            } else if key.equals("type") {
                let name = try scanner.plainString()
                kind = name.equals("data") ? .data : name.equals("tree") ? .tree : nil
            } else if key.equals("offset") {
                offset = try scanner.integer(UInt32.self)
            } else if key.equals("length") {
                length = try scanner.integer(UInt32.self)
            } else if key.equals("uncompressed_length") {
                let value = try scanner.integer(UInt32.self)
                uncompressedLength = value == 0 ? nil : value
            } else {
                try scanner.skipValue()
            }
        }
        guard let id, let kind, let offset, let length, length >= 32,
            offset.addingReportingOverflow(length).overflow == false
        else { throw scanner.failure("a blob without id, type, offset or length") }
        return PackedBlob(id: id, kind: kind, offset: offset, length: length, uncompressedLength: uncompressedLength)
    }
}
