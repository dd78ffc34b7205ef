import Synchronization

/// A switch that threads and closures share.
package final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    /// Off at first.
    package init() {}

    /// Whether it is on.
    package var isSet: Bool { value.load(ordering: .acquiring) }

    /// Turns it on or off.
    package func set(_ on: Bool = true) { value.store(on, ordering: .releasing) }
}
