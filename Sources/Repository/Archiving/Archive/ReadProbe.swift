/// What a reader is about to do with a file.
package enum ReadMoment: Sendable {
    /// The walk has seen it as a file, and it will be opened now.
    case opening(name: [UInt8])
    /// It is open, and its bytes from `offset` on will be read now.
    case reading(name: [UInt8], descriptor: Int32, offset: UInt64)
}

/// Called on the reading thread; what it does to the file happens at exactly that moment. For tests.
package typealias ReadProbe = @Sendable (ReadMoment) -> Void
