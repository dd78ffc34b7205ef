/// The names of a directory in one block of memory: a million of them take 20 bytes each beside their own.
struct NameList: RandomAccessCollection, Sendable {
    private struct Entry {
        var start: Int
        var count: UInt32
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    var startIndex: Int { 0 }
    var endIndex: Int { entries.count }

    /// The bytes of a name.
    subscript(position: Int) -> [UInt8] {
        let entry = entries[position]
        return Array(bytes[entry.start..<entry.start + Int(entry.count)])
    }

    mutating func append(_ name: UnsafeRawBufferPointer) {
        entries.append(Entry(start: bytes.count, count: UInt32(clamping: name.count)))
        bytes.append(contentsOf: name)
    }

    /// Sorts by the bytes of the names, as trees are.
    mutating func sort() {
        bytes.withUnsafeBytes { bytes in
            func name(_ entry: Entry) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + Int(entry.count)])
            }
            entries.sort { name($0).precedes(name($1)) }
        }
    }

    /// Whether a sorted list has the name.
    func contains(_ name: [UInt8]) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let candidate = self[middle]
            if candidate == name { return true }
            if candidate.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
