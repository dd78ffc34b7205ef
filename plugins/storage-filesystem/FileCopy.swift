import CLibcrypto
import CLinux
import Glibc
import PluginKit

/// Copies and compares the bytes of open files, from their beginning.
enum FileCopy {
    private static let bufferByteCount = 1 << 20

    /// Copies all of `source` and checks size and digest on the way.
    ///
    /// - Throws: `PluginFailure` `integrity` when the bytes are not those that `parameters` name.
    static func copy(
        _ source: borrowing Descriptor, to target: borrowing Descriptor, _ parameters: StoragePutParameters,
        _ call: CallContext
    ) throws {
        guard let digest = EVP_MD_CTX_new() else { throw PluginFailure.unavailable("out of memory") }
        defer { EVP_MD_CTX_free(digest) }
        guard EVP_DigestInit_ex(digest, EVP_sha256(), nil) == 1 else {
            throw PluginFailure.unavailable("libcrypto has no SHA-256")
        }
        var buffer = [UInt8](repeating: 0, count: bufferByteCount)
        var offset: Int64 = 0
        while true {
            try call.checkCancellation()
            let count = try read(source, at: offset, into: &buffer)
            if count == 0 { break }
            offset += Int64(count)
            guard offset <= parameters.size else { break }
            EVP_DigestUpdate(digest, buffer, count)
            try write(buffer[..<count], to: target, parameters.key)
        }
        guard offset == parameters.size else {
            throw PluginFailure.integrity(
                "the file '\(parameters.path)' changed its size while it was read; expected \(parameters.size) bytes")
        }
        var sum = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var sumByteCount: UInt32 = 0
        EVP_DigestFinal_ex(digest, &sum, &sumByteCount)
        let found = hexadecimal(sum.prefix(Int(sumByteCount)))
        guard found == parameters.sha256.lowercased() else {
            throw PluginFailure.integrity(
                "the bytes of '\(parameters.path)' have the digest \(found), not the one announced")
        }
    }

    /// Whether both files have the same bytes.
    static func isEqual(
        _ left: borrowing Descriptor, _ right: borrowing Descriptor, _ call: CallContext
    ) throws -> Bool {
        let (leftStatus, rightStatus) = (try left.status(naming: "spool"), try right.status(naming: "object"))
        guard leftStatus.size == rightStatus.size else { return false }
        if leftStatus.device == rightStatus.device, leftStatus.inode == rightStatus.inode { return true }
        var leftBuffer = [UInt8](repeating: 0, count: bufferByteCount)
        var rightBuffer = leftBuffer
        var offset: Int64 = 0
        while true {
            try call.checkCancellation()
            let count = try read(left, at: offset, into: &leftBuffer)
            guard try read(right, at: offset, into: &rightBuffer) == count else { return false }
            if count == 0 { return true }
            guard leftBuffer[..<count] == rightBuffer[..<count] else { return false }
            offset += Int64(count)
        }
    }

    /// Fills the buffer unless the file ends before.
    private static func read(
        _ file: borrowing Descriptor, at offset: Int64, into buffer: inout [UInt8]
    ) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = buffer.withUnsafeMutableBytes { bytes in
                pread(file.number, bytes.baseAddress.map { $0 + filled }, bytes.count - filled, off_t(offset) + filled)
            }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw PluginFailure.system("read a file", errno: errno)
            }
            filled += count
        }
        return filled
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to file: borrowing Descriptor, _ key: ObjectKey) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw PluginFailure.system("write '\(key)'", errno: errno)
            }
        }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
