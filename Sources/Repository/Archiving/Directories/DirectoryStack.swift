/// The directories from the root of a walk down to where it is.
///
/// Only the root and the lowest ones are open, so that no depth exhausts the descriptors; one above is opened again when
/// the walk comes back to it: through `..`, or by name from the root when what was below it has been moved meanwhile.
struct DirectoryStack {
    private struct Level {
        let name: [UInt8]
        var handle: DirectoryHandle?
        /// Known of those that were closed.
        var identity: DirectoryHandle.Identity?
    }

    /// How many are kept open at the lower end.
    private let openCount: Int
    private var levels: [Level] = []

    init(openCount: Int = 64) { self.openCount = max(1, openCount) }

    /// How many directories there are.
    var depth: Int { levels.count }

    /// The lowest directory; nil when it could not be found again, and without any.
    var top: DirectoryHandle? { levels.last?.handle }

    /// Goes down into a directory that the lowest one has as `name`; the name of the root does not matter.
    mutating func push(_ handle: DirectoryHandle, name: [UInt8]) {
        levels.append(Level(name: name, handle: handle, identity: nil))
        let position = levels.count - 1 - openCount
        guard position > 0, let closed = levels[position].handle else { return }
        levels[position].identity = closed.identity
        // Without an identity it could not be proven to be the same again.
        if levels[position].identity != nil { levels[position].handle = nil }
    }

    /// Goes up; ``top`` is then the one above, or nil when that cannot be found again.
    mutating func pop() {
        guard let left = levels.popLast(), let last = levels.indices.last, levels[last].handle == nil else { return }
        levels[last].handle = reopened(last, from: left.handle)
    }

    private func reopened(_ position: Int, from child: DirectoryHandle?) -> DirectoryHandle? {
        let path = levels[1...position].reduce(into: levels[0].handle?.path ?? []) { path, level in
            if path.last != 0x2F { path.append(0x2F) }
            path.append(contentsOf: level.name)
        }
        let wanted = levels[position].identity
        if let found = child?.openParent(path: path), found.identity == wanted { return found }
        guard var handle = levels[0].handle else { return nil }
        for level in levels[1...position] {
            guard let next = DirectoryHandle.open(level.name, in: handle) else { return nil }
            handle = next
        }
        return handle.identity == wanted ? handle : nil
    }
}
