/// A decoder under fuzzing: what any bytes at all must not do to it.
///
/// The same targets run under libFuzzer (`scripts/fuzz`) and, over the kept inputs, in the ordinary tests.
package struct FuzzTarget: Sendable {
    /// As on the command line of `scripts/fuzz`, and the name of the folder of its inputs.
    package let name: String
    /// Takes the bytes in; refusing them is fine.
    ///
    /// - Throws: ``FuzzFinding`` when the decoder took them in and the result is wrong. A trap is a finding as well.
    package let examine: @Sendable (UnsafeRawBufferPointer) throws -> Void
    /// Small real inputs by name, from which the fuzzer starts.
    package let seeds: @Sendable () throws -> [String: [UInt8]]

    /// A target of a name.
    package init(
        _ name: String, seeds: @escaping @Sendable () throws -> [String: [UInt8]],
        examine: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.examine = examine
    }

    /// All targets, those first whose bytes come from a store.
    package static let all: [FuzzTarget] = [
        packHeader, blob, index, tree, snapshot, key, config, lock, unpacked, document, json, wire, manifest,
    ]
}

/// What a decoder did that it must not do.
package struct FuzzFinding: Error, CustomStringConvertible {
    /// One clause: what does not hold.
    package let problem: String

    package var description: String { problem }

    init(_ problem: String) { self.problem = problem }
}

/// - Throws: ``FuzzFinding`` unless the condition holds.
func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws {
    guard condition else { throw FuzzFinding(problem()) }
}

/// Checks that a value is written and read as itself, twice.
func requireRoundTrip<Value: Equatable>(
    _ value: Value, encode: (Value) throws -> [UInt8], decode: ([UInt8]) throws -> Value
) throws {
    let bytes: [UInt8]
    let again: Value
    do {
        bytes = try encode(value)
        again = try decode(bytes)
    } catch {
        throw FuzzFinding("a value that was read cannot be written and read again: \(error)")
    }
    try require(again == value, "a value changes when it is written and read again: \(value) becomes \(again)")
    try require(try encode(again) == bytes, "the same value is written in two ways")
}
