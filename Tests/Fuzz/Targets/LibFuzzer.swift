import Glibc

/// The target that STILLPOINT_FUZZ_TARGET names; libFuzzer is one process for one target.
private let target: FuzzTarget = {
    let name = getenv("STILLPOINT_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("STILLPOINT_FUZZ_TARGET must be one of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
    }
    return target
}()

/// What libFuzzer calls with each input; see https://llvm.org/docs/LibFuzzer.html, "Fuzz Target".
@_cdecl("LLVMFuzzerTestOneInput")
public func examineOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do {
        try target.examine(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch {
        fatalError("\(target.name): \(error)")
    }
    return 0
}
