import Glibc
import Synchronization

/// The directories that restores write to, by number, each opened when it is needed below the one above it.
///
/// A bounded number of them stays open; a directory of the root is never followed through a symbolic link.
final class RestoreDirectories: Sendable {
    private struct Entry {
        /// Its own number for a root.
        let parent: UInt32
        let name: [UInt8]
        /// Kept open for ever in a root.
        var handle: DirectoryHandle?
        var wasUsed = false
        /// Nobody but this restore has put anything into it.
        let isNew: Bool
        /// Who files belong to that are made in it; nil when that is not known.
        let owner: Owner?
    }

    private struct State {
        var entries: [Entry] = []
        /// Numbers of the directories that are open, roots apart, the oldest first.
        var open: [UInt32] = []
        var oldest = 0
    }

    private let openCount: Int
    private let state = Mutex(State())

    init(openCount: Int = 192) { self.openCount = max(2, openCount) }

    /// Adds a directory that is open already and stays so.
    func addRoot(_ handle: DirectoryHandle) -> UInt32 {
        state.withLock { state in
            let number = UInt32(state.entries.count)
            state.entries.append(Entry(parent: number, name: [], handle: handle, isNew: false, owner: nil))
            return number
        }
    }

    /// Adds a directory that exists.
    func add(_ name: [UInt8], in parent: UInt32, isNew: Bool, owner: Owner?) -> UInt32 {
        state.withLock { state in
            state.entries.append(Entry(parent: parent, name: name, handle: nil, isNew: isNew, owner: owner))
            return UInt32(state.entries.count - 1)
        }
    }

    /// What files have that are made in a directory.
    func facts(_ number: UInt32) -> (isNew: Bool, owner: Owner?) {
        state.withLock { ($0.entries[Int(number)].isNew, $0.entries[Int(number)].owner) }
    }

    /// The directory above and the name in it; nil for a root.
    func place(_ number: UInt32) -> (parent: UInt32, name: [UInt8])? {
        state.withLock { state in
            let entry = state.entries[Int(number)]
            return entry.parent == number ? nil : (entry.parent, entry.name)
        }
    }

    /// A directory, open.
    ///
    /// - Returns: nil with errno set when it is no longer there.
    func handle(_ number: UInt32) -> DirectoryHandle? {
        state.withLock { state in
            if let handle = state.entries[Int(number)].handle {
                state.entries[Int(number)].wasUsed = true
                return handle
            }
            // From the lowest one that is open, down.
            var missing = [number]
            while state.entries[Int(missing[missing.count - 1])].handle == nil {
                missing.append(state.entries[Int(missing[missing.count - 1])].parent)
            }
            guard var handle = missing.popLast().flatMap({ state.entries[Int($0)].handle }) else { return nil }
            for next in missing.reversed() {
                guard let opened = DirectoryHandle.open(state.entries[Int(next)].name, in: handle) else { return nil }
                handle = opened
                keep(handle, next, &state)
            }
            return handle
        }
    }

    /// The path of an entry of a directory, for messages.
    func path(_ number: UInt32, _ name: [UInt8]) -> [UInt8] {
        state.withLock { state in
            var names = [name]
            var number = number
            while state.entries[Int(number)].parent != number {
                names.append(state.entries[Int(number)].name)
                number = state.entries[Int(number)].parent
            }
            return names.reversed().reduce(into: state.entries[Int(number)].handle?.path ?? []) { path, name in
                guard !name.isEmpty else { return }
                if path.last != 0x2F { path.append(0x2F) }
                path.append(contentsOf: name)
            }
        }
    }

    /// Keeps a directory open, in place of one that was not used for longer.
    private func keep(_ handle: DirectoryHandle, _ number: UInt32, _ state: inout State) {
        state.entries[Int(number)].handle = handle
        state.open.append(number)
        while state.open.count - state.oldest > openCount {
            let candidate = state.open[state.oldest]
            state.oldest += 1
            if state.entries[Int(candidate)].wasUsed, candidate != number {
                state.entries[Int(candidate)].wasUsed = false
                state.open.append(candidate)
            } else {
                state.entries[Int(candidate)].handle = nil
            }
        }
        if state.oldest > 4096 {
            state.open.removeFirst(state.oldest)
            state.oldest = 0
        }
    }
}
