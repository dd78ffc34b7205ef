package import JSON

/// The `id` of a request, echoed in its response with its type.
package enum RequestID: Hashable, Sendable, CustomStringConvertible {
    /// The only form between host and plugin: `[A-Za-z0-9._-]{1,64}`.
    case text(String)
    /// A number, which the client API also takes: ±(2^53 − 1).
    case number(Int64)
    /// `null`: the answer to a line whose id could not be read.
    case unknown

    /// Nil when the value is no id: another type, out of range, or a text outside the grammar.
    package init?(_ value: JSONValue, acceptsNumbers: Bool = false) {
        switch value {
        case .string(let text) where Self.isWellFormed(text): self = .text(text)
        case .integer(let number) where acceptsNumbers && JSONLimits.exactIntegers.contains(number):
            self = .number(number)
        default: return nil
        }
    }

    /// Whether `text` is `[A-Za-z0-9._-]{1,64}`.
    package static func isWellFormed(_ text: String) -> Bool {
        let bytes = text.utf8
        return !bytes.isEmpty && bytes.count <= WireLimits.requestID
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The id as it stands in a message.
    package var jsonValue: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .integer(number)
        case .unknown: .null
        }
    }

    package var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        case .unknown: "null"
        }
    }
}
