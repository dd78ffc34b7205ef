/// A place for immutable named objects, seen from the repository: names and bytes, nothing of what they mean.
///
/// Keys are restic's paths: `config`, `keys/ID`, `snapshots/ID`, `index/ID`, `locks/ID`, `data/ab/ID`. All calls block,
/// may come from many threads at once, and are idempotent, so that whoever implements them may retry.
package protocol ObjectStore: Sendable {
    /// Where an object is built before ``put(_:as:ifAbsent:)``: a directory near the store, so that putting is a link.
    var spoolDirectory: String { get }

    /// How many calls make sense at once.
    var connectionCount: Int { get }

    /// Stores the file whole or not at all; durable when the call returns. The file is the caller's to remove.
    ///
    /// - Parameter ifAbsent: refuse to replace an object of this name with other bytes.
    /// - Throws: ``ObjectStoreError``: ``ObjectStoreError/Code/conflict`` (only with `ifAbsent`),
    ///   ``ObjectStoreError/Code/noSpace``, `permissionDenied`, `unavailable`.
    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws

    /// The bytes of an object, or of a part of it.
    ///
    /// - Parameter range: offset and length; the whole object when nil. A range that leaves the object is an error.
    /// - Throws: ``ObjectStoreError``: `notFound` only when the object is positively absent.
    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8]

    /// The size of an object in bytes.
    func size(of key: String) throws -> Int64

    /// All objects whose key starts with `prefix`, in any order, complete or an error.
    func list(prefix: String) throws -> [StoredObject]

    /// Removes an object; an absent one is no error.
    func delete(_ key: String) throws
}

/// An object in a listing.
package struct StoredObject: Sendable, Hashable {
    package let key: String
    package let size: Int64
    package init(key: String, size: Int64) {
        self.key = key
        self.size = size
    }
}

/// A complete file in the spool, ready to be put.
package struct SpooledFile: Sendable {
    /// Absolute path.
    package let path: String
    /// Its size in bytes.
    package let size: Int64
    /// Its SHA-256 as 64 hexadecimal digits.
    package let sha256: String
    package init(path: String, size: Int64, sha256: String) {
        self.path = path
        self.size = size
        self.sha256 = sha256
    }
}

/// What a store could not do.
package struct ObjectStoreError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The object is positively absent.
        package static let notFound = Code("notFound")
        /// Another object of that name is there.
        package static let conflict = Code("conflict")
        /// The range leaves the object.
        package static let invalidRange = Code("invalidRange")
        package static let permissionDenied = Code("permissionDenied")
        /// The store is full or its quota used up.
        package static let noSpace = Code("noSpace")
        /// What was read is not what was stored.
        package static let integrity = Code("integrity")
        /// Out of reach, or an error nobody can be sure about.
        package static let unavailable = Code("unavailable")
        package static let cancelled = Code("cancelled")
    }

    package let code: Code
    /// One sentence that names the object, what happened and what to do.
    package let message: String
    package let cause: (any Error)?

    package init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}
