import CZstd

/// What went wrong in a zstd frame.
package struct CompressionError: Error, Equatable, CustomStringConvertible {
    /// One sentence for people, with libzstd's own words.
    package let message: String
    package var description: String { message }
}

/// A zstd compressor (RFC 8878) with a context that is reused. One instance belongs to one thread.
package final class Compressor {
    /// The lowest level of libzstd that gives repositories of the size that stock restic's default gives.
    package static let standardLevel: Int32 = 2

    private let context: OpaquePointer
    private var effort = CompressionEffort.standard

    /// - Parameter level: libzstd's, 1 to 22; higher is denser and slower.
    package init(level: Int32 = Compressor.standardLevel) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("No memory for a zstd context.") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// The most bytes that compressing `byteCount` bytes can take.
    package static func bound(_ byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

    /// Writes one frame, with the content size in its header, to `output`.
    ///
    /// - Returns: the size of the frame in bytes; nil when `output` is too small for it.
    package func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        effort: CompressionEffort = .standard
    ) -> Int? {
        if effort != self.effort { apply(effort) }
        let result = ZSTD_compress2(context, output.baseAddress, output.count, input.baseAddress, input.count)
        return ZSTD_isError(result) == 0 ? result : nil
    }

    private func apply(_ effort: CompressionEffort) {
        self.effort = effort
        ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, effort.hashLog)
        ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, effort.minimumMatch)
        let isStandard = effort == .standard
        ZSTD_CCtx_setParameter(context, ZSTD_c_strategy, isStandard ? 0 : Int32(bitPattern: ZSTD_fast.rawValue))
        // 2 MiB holds almost every chunk whole.
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, isStandard ? 0 : 21)
    }

    /// One frame for bytes at hand as an array.
    package func compress(_ input: [UInt8]) -> [UInt8] {
        let bound = Self.bound(input.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = input.withUnsafeBytes { compress($0, into: UnsafeMutableRawBufferPointer(output)) } ?? 0
        }
    }
}

/// A zstd decompressor with a context that is reused. One instance belongs to one thread.
package final class Decompressor {
    private let context: OpaquePointer

    /// Makes the context; it costs about 160 KB.
    package init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("No memory for a zstd context.") }
        self.context = context
        // A frame of a few bytes may declare a window of 128 MiB. restic writes windows of 512 KiB, we write the content's
        // size, with which no window is set aside.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 25)
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses `frame` into `output`, which must have exactly the content's size.
    ///
    /// - Throws: ``CompressionError`` for a damaged frame or another size.
    package func decompress(
        _ frame: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        let result = ZSTD_decompressDCtx(context, output.baseAddress, output.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(result) == 0 else {
            throw CompressionError(message: "zstd: \(String(cString: ZSTD_getErrorName(result)))")
        }
        guard result == output.count else {
            throw CompressionError(message: "zstd: the content has \(result) bytes instead of \(output.count).")
        }
    }

    /// Decompresses a frame of unknown content size, in one or several steps.
    ///
    /// - Throws: ``CompressionError`` for a damaged frame, or content above `maximumByteCount`.
    package func decompress(_ frame: UnsafeRawBufferPointer, maximumByteCount: Int) throws(CompressionError) -> [UInt8]
    {
        let declared = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
        // ZSTD_CONTENTSIZE_ERROR and _UNKNOWN are the two largest values of the type.
        if declared < UInt64.max - 1 {
            guard declared <= UInt64(maximumByteCount) else { throw Self.tooLarge(maximumByteCount) }
            guard declared <= UInt64(Self.largestContent(of: frame.count)) else {
                throw CompressionError(message: "zstd: \(frame.count) bytes cannot hold the \(declared) they declare.")
            }
            var output = [UInt8](repeating: 0, count: Int(declared))
            var failure: CompressionError?
            output.withUnsafeMutableBytes { bytes in
                do throws(CompressionError) { try decompress(frame, into: bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            return output
        }
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        var input = ZSTD_inBuffer(src: frame.baseAddress, size: frame.count, pos: 0)
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        while true {
            var produced = 0
            let result = block.withUnsafeMutableBytes { bytes -> Int in
                var target = ZSTD_outBuffer(dst: bytes.baseAddress, size: bytes.count, pos: 0)
                let result = ZSTD_decompressStream(context, &target, &input)
                produced = target.pos
                return result
            }
            guard ZSTD_isError(result) == 0 else {
                throw CompressionError(message: "zstd: \(String(cString: ZSTD_getErrorName(result)))")
            }
            guard output.count + produced <= maximumByteCount else { throw Self.tooLarge(maximumByteCount) }
            output.append(contentsOf: block[0..<produced])
            if result == 0 { return output }
            guard produced > 0 || input.pos < input.size else {
                throw CompressionError(message: "zstd: the frame ends before its content does.")
            }
        }
    }

    /// The most bytes that a frame can hold: four bytes make at most one block of 128 KiB (RFC 8878, sections 3.1.1.2
    /// and 3.1.1.2.4). What declares more is damaged; knowing it before asking for the memory keeps small lies cheap.
    package static func largestContent(of frameByteCount: Int) -> Int {
        frameByteCount.multipliedReportingOverflow(by: 1 << 15).overflow ? .max : frameByteCount << 15
    }

    private static func tooLarge(_ maximum: Int) -> CompressionError {
        CompressionError(message: "zstd: the content is larger than the \(maximum) bytes allowed here.")
    }
}
