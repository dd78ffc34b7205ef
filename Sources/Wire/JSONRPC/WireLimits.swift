/// The caps of the framing. Source: protocol/README.md, Framing.
package enum WireLimits {
    /// The longest line from host to plugin, in bytes, its LF included when it is sent: the capacity of a pipe, so that
    /// writing the one outstanding request never blocks. Source: pipe(7).
    package static let requestLine = 65_536
    /// The longest line from plugin to host, in bytes.
    package static let responseLine = 1_048_576
    /// The longest `id`, in bytes.
    package static let requestID = 64
}
