package import PluginProtocol

extension StoragePlugin {
    /// More objects than this are not listed. Source: protocol, host rules, 19.
    static let maximumListedObjects = 10_000_000
    /// More empty pages one after the other than this are a plugin that goes round in circles.
    static let maximumEmptyPages = 100

    /// All objects whose key starts with `prefix`, each once, sorted by the bytes of the key.
    ///
    /// Complete for objects that were stored before the call; others may or may not be in it.
    ///
    /// - Throws: ``PluginHostError``; a list that is not known to be complete is never returned.
    package func list(prefix: String) throws -> [ListedObject] {
        let label = "\(PluginMethod.storageList) \(prefix.isEmpty ? "(all)" : prefix)"
        guard let prefix = KeyPrefix(prefix) else {
            throw PluginHostError(
                .invalidConfiguration, "'\(prefix)' cannot be the beginning of a key", subject: session.subject)
        }
        var guardian = ListGuard(prefix: prefix)
        let options = options(label, hard: session.context.deadlines.listPage)
        while true {
            let parameters = StorageListParameters(prefix: prefix, cursor: guardian.cursor)
            let page = try session.perform(label, isRepeatable: true) { instance in
                let page = try instance.call(StorageList.self, parameters, options)
                if let objection = guardian.objection(to: page) {
                    throw instance.violated("answered \(label) with \(objection)", options)
                }
                return page
            }
            guardian.take(page)
            if page.cursor == nil { return guardian.sorted() }
        }
    }
}

/// Joins the pages of a list and finds those that cannot be: the decisions alone. Source: protocol, host rules, 19.
struct ListGuard {
    private let prefix: KeyPrefix
    private var objects: [ObjectKey: ListedObject] = [:]
    private var cursors: Set<ListCursor> = []
    private var emptyPages = 0
    /// Where the next page begins.
    private(set) var cursor: ListCursor?

    init(prefix: KeyPrefix) { self.prefix = prefix }

    /// What is wrong with a page, to complete "answered with …"; nil when nothing is.
    func objection(to page: ListPage) -> String? {
        if let stranger = page.entries.first(where: { !prefix.matches($0.key) }) {
            return "the key '\(stranger.key)', which does not start with '\(prefix)'"
        }
        if objects.count + page.entries.count > StoragePlugin.maximumListedObjects {
            return "more than \(StoragePlugin.maximumListedObjects) keys"
        }
        if page.entries.isEmpty, page.cursor != nil, emptyPages >= StoragePlugin.maximumEmptyPages {
            return "more than \(StoragePlugin.maximumEmptyPages) empty pages one after the other"
        }
        if let cursor = page.cursor, cursors.contains(cursor) { return "the cursor '\(cursor)' a second time" }
        return nil
    }

    /// Takes a page nothing is wrong with.
    mutating func take(_ page: ListPage) {
        for entry in page.entries { objects[entry.key] = entry }
        emptyPages = page.entries.isEmpty ? emptyPages + 1 : 0
        cursor = page.cursor
        if let cursor { cursors.insert(cursor) }
    }

    /// The objects of all pages, by the bytes of the key.
    func sorted() -> [ListedObject] { objects.values.sorted { $0.key < $1.key } }
}
