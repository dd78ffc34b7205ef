/// The members of a JSON object in the order in which they were written.
///
/// Equality ignores the order, as JSON does. Small objects are searched one name after the other; from 17 members on a
/// table of names is kept, so that a hostile object of 100,000 members costs no more than it has to.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    private var storage: [(name: String, value: JSONValue)] = []
    private var positions: [String: Int]?
    private static let linearLimit = 16

    /// An empty object.
    public init() {}

    /// Members in this order; of two with one name the later value counts.
    public init(_ members: some Sequence<(name: String, value: JSONValue)>) {
        for member in members { self[member.name] = member.value }
    }

    /// Members in this order; of two with one name the later value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for element in elements { self[element.0] = element.1 }
    }

    /// For the parser, which has refused duplicates.
    init(uniqueMembers: [(name: String, value: JSONValue)]) {
        storage = uniqueMembers
        indexIfLarge()
    }

    /// All members, in order.
    public var members: [(name: String, value: JSONValue)] { storage }
    /// The names, in order.
    public var names: [String] { storage.map(\.name) }
    /// The number of members.
    public var count: Int { storage.count }
    /// True without members.
    public var isEmpty: Bool { storage.isEmpty }

    /// The value of a member; nil when it is absent. Setting a new name appends it, setting nil removes it.
    public subscript(name: String) -> JSONValue? {
        get { position(of: name).map { storage[$0].value } }
        set {
            switch (position(of: name), newValue) {
            case (let position?, let value?): storage[position].value = value
            case (nil, let value?):
                storage.append((name, value))
                if positions == nil { indexIfLarge() } else { positions?[name] = storage.count - 1 }
            case (let position?, nil):
                storage.remove(at: position)
                positions = nil
                indexIfLarge()
            case (nil, nil): break
            }
        }
    }

    private func position(of name: String) -> Int? {
        if let positions { return positions[name] }
        return storage.firstIndex { $0.name == name }
    }

    private mutating func indexIfLarge() {
        guard storage.count > Self.linearLimit else { return }
        var table: [String: Int] = [:]
        table.reserveCapacity(storage.count)
        for (position, member) in storage.enumerated() { table[member.name] = position }
        positions = table
    }
}

extension JSONObject: Hashable {
    /// True when both have the same names with the same values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.storage.allSatisfy { right[$0.name] == $0.value }
    }

    /// Independent of the order of the members.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in storage {
            var one = Hasher()
            one.combine(member.name)
            one.combine(member.value)
            sum ^= one.finalize()
        }
        hasher.combine(storage.count)
        hasher.combine(sum)
    }
}
