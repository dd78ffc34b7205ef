package import ObjectStorage
import Repository
import RepositoryFormat

/// Writes, reads, lists and deletes an object, for real: what a destination must be able to do.
package struct StoreProbe {
    private let store: any ObjectStore

    package init(_ store: any ObjectStore) { self.store = store }

    /// - Throws: what the store throws; ``PipelineError`` when it answers with success and something else than it should.
    package func run() throws {
        let content = Array("stillpoint destination test \(ProcessIdentity.current()?.start ?? 0)".utf8)
        let id = ObjectID(hashing: content)
        // Beside locks of a kind that nobody has: other programs ignore names that are no ids.
        let key = "locks/stillpoint-test-\(id.short)"
        try store.put(content, sha256: id.hexadecimal, as: key, ifAbsent: false)
        do {
            guard try store.get(key, range: nil) == content else {
                throw wrong("read returned other bytes than were written")
            }
            guard try store.get(key, range: 3..<7) == Array(content[3..<7]) else {
                throw wrong("a part of an object was not what was written")
            }
            guard try store.list(prefix: "locks/").contains(where: { $0.key == key && $0.size == Int64(content.count) })
            else {
                throw wrong("a new object is missing from the listing, or has another size there")
            }
        } catch {
            // The failure of the test is the one to tell.
            try? store.delete(key)
            throw error
        }
        try store.delete(key)
        guard try !store.list(prefix: "locks/").contains(where: { $0.key == key }) else {
            throw wrong("a deleted object is still listed")
        }
    }

    private func wrong(_ what: String) -> PipelineError {
        PipelineError(.unwritable, "The destination cannot be trusted: \(what)")
    }
}
