import CLinux
import Glibc
import ObjectStorage
import Repository
import RepositoryFormat
import Threads

/// Writes the wanted blobs of one pack to their files. One instance belongs to one thread.
final class PackWriter {
    /// Unwanted bytes between two wanted blobs that are cheaper to read than to ask twice.
    private static let gapByteCount = 256 << 10
    /// The most that is asked for at once.
    private static let runByteCount = 8 << 20
    /// Zeros are looked for in blocks of this size.
    private static let holeByteCount: Int = 4096

    private let restorer: Restorer
    private let files: [RestoreFile]
    private let loader: BlobLoader
    /// The file written last; blobs of a large file follow each other in a pack.
    private var open: (file: UInt32, descriptor: Int32)?
    /// Counted here and handed on for each run: a lock for each small file would be waited for.
    private var finished = RestoreStatistics()

    init(_ restorer: Restorer, files: [RestoreFile]) throws {
        self.restorer = restorer
        self.files = files
        loader = try BlobLoader(restorer.repository)
    }

    deinit { closeFile() }

    /// Writes the uses of a pack, which are sorted by their offset in it.
    ///
    /// - Throws: a full disk, errors of the store, cancellation.
    func write(_ uses: ArraySlice<BlobUse>, pack: ObjectID) throws {
        var position = uses.startIndex
        while position < uses.endIndex {
            try restorer.cancellation.check()
            // A run of blobs that lie close together.
            let start = Int64(uses[position].blob.offset)
            var end = start + Int64(uses[position].blob.length)
            var last = position + 1
            while last < uses.endIndex {
                let blob = uses[last].blob
                let blobEnd = Int64(blob.offset) + Int64(blob.length)
                guard Int64(blob.offset) <= end + Int64(Self.gapByteCount), blobEnd - start <= Int64(Self.runByteCount)
                else { break }
                end = max(end, blobEnd)
                last += 1
            }
            defer { handOnCounts() }
            try writeRun(uses[position..<last], pack, start..<end)
            position = last
        }
        closeFile()
    }

    private func handOnCounts() {
        let done = finished
        finished = RestoreStatistics()
        restorer.count {
            $0.files += done.files
            $0.bytes += done.bytes
        }
    }

    private func writeRun(_ uses: ArraySlice<BlobUse>, _ pack: ObjectID, _ range: Range<Int64>) throws {
        let bytes: [UInt8]
        do {
            bytes = try restorer.repository.store.get(ObjectKind.pack.key(pack), range: range)
        } catch {
            guard BlobLoader.isDamage(error) else { throw error }
            return try writeSingly(uses, pack, "\(error)")
        }
        guard bytes.count == range.count else {
            return try writeSingly(uses, pack, "The store gave \(bytes.count) of \(range.count) bytes of a pack.")
        }
        try bytes.withUnsafeBytes { bytes in
            try forEachBlob(uses) { uses in
                guard let blob = uses.first?.blob else { return }
                let offset = Int(Int64(blob.offset) - range.lowerBound)
                let sealed = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(blob.length)])
                do {
                    try loader.open(blob, pack: pack, sealed: sealed) { content in
                        for use in uses { try write(content, use) }
                    }
                } catch let error as RepositoryError {
                    try writeCopy(of: uses, pack, "\(error)")
                }
            }
        }
    }

    /// Writes the blobs of a run that cannot be read as a whole: a pack that was cut off still has what lies before.
    private func writeSingly(_ uses: ArraySlice<BlobUse>, _ pack: ObjectID, _ reason: String) throws {
        guard let first = uses.first?.blob, uses.contains(where: { $0.blob != first }) else {
            return try writeCopy(of: uses, pack, reason)
        }
        try forEachBlob(uses) { uses in
            guard let blob = uses.first?.blob else { return }
            let start = Int64(blob.offset)
            try writeRun(uses, pack, start..<start + Int64(blob.length))
        }
    }

    /// Calls `body` with the uses of one blob after the other.
    private func forEachBlob(_ uses: ArraySlice<BlobUse>, _ body: (ArraySlice<BlobUse>) throws -> Void) rethrows {
        var position = uses.startIndex
        while position < uses.endIndex {
            var last = position + 1
            while last < uses.endIndex, uses[last].blob == uses[position].blob { last += 1 }
            try body(uses[position..<last])
            position = last
        }
    }

    /// Writes a blob whose copy in `pack` is damaged from another pack, where there is one that has it.
    private func writeCopy(of uses: ArraySlice<BlobUse>, _ pack: ObjectID, _ reason: String) throws {
        guard let blob = uses.first?.blob, let content = loader.loadElsewhere(blob.id, blob.kind, than: pack) else {
            for use in uses { fail(use.file, reason) }
            return
        }
        try content.withUnsafeBytes { content in
            for use in uses { try write(content, use) }
        }
    }

    private func fail(_ number: UInt32, _ message: String) {
        let file = files[Int(number)]
        guard file.fail() else { return }
        if open?.file == number { closeFile() }
        // Half a file would pass for a whole one.
        for name in file.names {
            name.withTerminator { _ = unlink($0) }
            restorer.fail(name, message)
        }
    }

    private func write(_ content: UnsafeRawBufferPointer, _ use: BlobUse) throws {
        let file = files[Int(use.file)]
        guard !file.isFailed else { return }
        guard let descriptor = try descriptor(use.file, file) else { return }
        guard try writeBytes(content, to: descriptor, at: use.fileOffset, file) else {
            return fail(use.file, "It cannot be written: \(systemMessage(errno)).")
        }
        finished.bytes += UInt64(content.count)
        if file.finishBlob() {
            file.path.withTerminator { restorer.metadata.apply(file.node, descriptor: descriptor, path: $0) }
            closeFile()
            finished.files += 1
        }
    }

    private func descriptor(_ number: UInt32, _ file: RestoreFile) throws -> Int32? {
        if let open, open.file == number { return open.descriptor }
        closeFile()
        var descriptor: Int32 = -1
        var failure: Int32 = 0
        file.path.withTerminator { path in
            file.createOnce {
                descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
                if descriptor < 0 { failure = errno }
                // Files that may end in a hole get their size at once; smaller ones are written whole.
                if descriptor >= 0, file.node.size >= UInt64(Self.holeByteCount),
                    ftruncate(descriptor, off_t(clamping: file.node.size)) != 0
                {
                    failure = errno
                }
            }
            if descriptor < 0, failure == 0 {
                descriptor = clinux_open(path, O_WRONLY | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
                if descriptor < 0 { failure = errno }
                // The first name of a hard link was made before.
                if descriptor >= 0, file.node.links > 1 { _ = ftruncate(descriptor, off_t(clamping: file.node.size)) }
            }
        }
        guard failure == 0 else {
            if descriptor >= 0 { close(descriptor) }
            if failure == ENOSPC || failure == EDQUOT {
                throw ArchiveError.unwritable(String(decoding: file.path, as: UTF8.self), failure)
            }
            fail(number, "It cannot be made: \(systemMessage(failure)).")
            return nil
        }
        open = (number, descriptor)
        return descriptor
    }

    private func closeFile() {
        if let open { close(open.descriptor) }
        open = nil
    }

    /// Writes all but longer runs of zeros.
    ///
    /// - Returns: false with errno set.
    private func writeBytes(
        _ content: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64, _ file: RestoreFile
    ) throws -> Bool {
        var position = 0
        while position < content.count {
            let zeros = Self.zeroByteCount(content, from: position)
            if zeros > 0 {
                position += zeros
                continue
            }
            var end = position
            while end < content.count, Self.zeroByteCount(content, from: end) == 0 {
                end = min(end + Self.holeByteCount, content.count)
            }
            while position < end {
                let written = pwrite(
                    descriptor, content.baseAddress.map { $0 + position }, end - position,
                    off_t(clamping: offset + UInt64(position)))
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    if errno == ENOSPC || errno == EDQUOT {
                        throw ArchiveError.unwritable(String(decoding: file.path, as: UTF8.self), errno)
                    }
                    return false
                }
                position += written
            }
        }
        return true
    }

    /// How many whole blocks of zeros start at `position`, in bytes.
    private static func zeroByteCount(_ content: UnsafeRawBufferPointer, from position: Int) -> Int {
        var end = position
        while content.count - end >= holeByteCount {
            guard content[end] == 0, content[end + holeByteCount - 1] == 0, let base = content.baseAddress,
                memcmp(base + end, base + end + 1, holeByteCount - 1) == 0
            else { break }
            end += holeByteCount
        }
        return end - position
    }
}
