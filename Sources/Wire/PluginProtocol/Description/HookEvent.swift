/// An event that a hook plugin may act on. Open: a later host may send others, which are answered with `unsupported`.
public struct HookEvent: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The word on the wire.
    public let rawValue: String

    /// Any word; unknown ones are kept.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Bring the application to its still point.
    public static let backupPre = HookEvent(rawValue: "backup.pre")
    /// Let the application go on.
    public static let backupPost = HookEvent(rawValue: "backup.post")
    /// Stop the application before its data are replaced.
    public static let restorePre = HookEvent(rawValue: "restore.pre")
    /// Start the application on the restored data.
    public static let restorePost = HookEvent(rawValue: "restore.post")
    /// Prove restored data in a scratch place.
    public static let rehearsalCheck = HookEvent(rawValue: "rehearsal.check")
    /// Tell somebody about a run.
    public static let notify = HookEvent(rawValue: "notify")

    /// The events of protocol version 1.
    public static let all: [HookEvent] = [
        .backupPre, .backupPost, .restorePre, .restorePost, .rehearsalCheck, .notify,
    ]

    /// The event that must follow once this one was sent; nil when none must.
    public var release: HookEvent? {
        switch self {
        case .backupPre: .backupPost
        case .restorePre: .restorePost
        default: nil
        }
    }

    /// The event that this one follows; nil when it follows none.
    public var counterpart: HookEvent? {
        switch self {
        case .backupPost: .backupPre
        case .restorePost: .restorePre
        default: nil
        }
    }

    /// The word on the wire.
    public var description: String { rawValue }
}
