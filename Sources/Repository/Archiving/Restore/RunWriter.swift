import CLinux
import Glibc
import ObjectStorage
import Repository
import RepositoryFormat
import Threads

/// Writes the blobs of runs to their files. One instance belongs to one thread.
final class RunWriter {
    /// Zeros are looked for in blocks of this size, in which file systems allocate.
    private static let holeByteCount = 4096

    /// The file written last: blobs of a large file follow each other in a pack.
    private struct OpenFile {
        let number: UInt32
        let descriptor: Int32
        let fresh: FreshEntry
    }

    private let restorer: Restorer
    private let plan: RestorePlan
    private let entries: EntryMaker
    private let loader: BlobLoader
    private var open: OpenFile?
    /// Counted here and handed on for each run: a lock for each small file would be waited for.
    private var finished = RestoreStatistics()

    init(_ restorer: Restorer, _ plan: RestorePlan, isUmaskClear: Bool) throws {
        self.restorer = restorer
        self.plan = plan
        entries = EntryMaker(restorer, isUmaskClear: isUmaskClear)
        loader = try BlobLoader(restorer.repository)
    }

    deinit { closeFile() }

    /// Writes the blobs of a run.
    ///
    /// - Parameter fetched: the bytes of the run, or why the store does not have them.
    /// - Throws: a full disk, errors of the store.
    func write(_ run: BlobRun, _ fetched: Result<[UInt8], ObjectStoreError>) throws {
        defer { handOnCounts() }
        let pack = plan.packs[Int(run.pack)]
        var position = run.uses.lowerBound
        while position < run.uses.upperBound {
            let blob = plan.uses[position].blob
            var last = position + 1
            while last < run.uses.upperBound, plan.uses[last].blob == blob { last += 1 }
            try write(blob, position..<last, pack, run, fetched)
            position = last
        }
    }

    private func handOnCounts() {
        let done = finished
        finished = RestoreStatistics()
        restorer.count {
            $0.files += done.files
            $0.bytes += done.bytes
        }
    }

    private func write(
        _ blob: PackedBlob, _ uses: Range<Int>, _ pack: ObjectID, _ run: BlobRun,
        _ fetched: Result<[UInt8], ObjectStoreError>
    ) throws {
        let problem: String
        do {
            let bytes = try fetched.get()
            let offset = Int(Int64(blob.offset) - run.range.lowerBound)
            if bytes.count - offset >= Int(blob.length) {
                return try bytes.withUnsafeBytes { bytes in
                    let sealed = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(blob.length)])
                    try loader.open(blob, pack: pack, sealed: sealed) { try write($0, uses) }
                }
            }
            problem = "The pack \(pack.hexadecimal) is too short."
        } catch let error as RepositoryError {
            problem = "\(error)"
        } catch let error as ObjectStoreError {
            problem = "\(error)"
        }
        // One blob, alone and from wherever else it is: what is wrong with the run need not be wrong with it.
        let content: [UInt8]
        do { content = try loader.load(blob.id, .data) } catch let error where Restorer.isAboutOneObject(error) {
            for use in uses { fail(plan.uses[use].file, problem) }
            return
        }
        try content.withUnsafeBytes { try write($0, uses) }
    }

    private func write(_ content: UnsafeRawBufferPointer, _ uses: Range<Int>) throws {
        // A chunk of a hole belongs to many places.
        let isHole = uses.count > 1 && Self.zeroByteCount(content, from: 0) == content.count
        for use in uses { try write(content, plan.uses[use], isHole: isHole) }
    }

    private func write(_ content: UnsafeRawBufferPointer, _ use: BlobUse, isHole: Bool) throws {
        let file = plan.files[Int(use.file)]
        guard file.progress != .failed, let open = try opened(use.file, file) else { return }
        let end: Int?
        do { end = isHole ? 0 : try writeBytes(content, to: open.descriptor, at: use.fileOffset, file) }
        guard let end else { return fail(use.file, "It cannot be written: \(systemMessage(errno)).") }
        // The only blob of a file decides where it ends; others got their size when they were made.
        if file.blobCount == 1, end < content.count, ftruncate(open.descriptor, off_t(clamping: content.count)) != 0 {
            return fail(use.file, "It cannot be written: \(systemMessage(errno)).")
        }
        finished.bytes += UInt64(content.count)
        if file.finishBlob() { try finish(use.file, file, open) }
    }

    /// Sets what a complete file has beside its content, puts it in its place, and makes its other names.
    private func finish(_ number: UInt32, _ file: RestoreFile, _ open: OpenFile) throws {
        restorer.metadata.apply(
            file.attributes, to: open.descriptor, open.fresh, path: restorer.path(of: file.place))
        closeFile()
        if file.place.isTaken {
            guard let handle = restorer.directories.handle(file.place.directory),
                entries.settle(file.place, from: file.workName, in: handle)
            else { return fail(number, "It cannot be put in its place: \(systemMessage(errno)).") }
        }
        // From here on no name is added: the plan was whole before the first blob was written.
        file.complete()
        finished.files += 1
        for place in file.otherPlaces {
            if entries.link(place, to: file.place) {
                finished.files += 1
            } else {
                restorer.fail(restorer.path(of: place), "It cannot be linked: \(systemMessage(errno)).")
            }
        }
    }

    private func fail(_ number: UInt32, _ message: String) {
        let file = plan.files[Int(number)]
        let before = file.fail()
        guard before != .failed else { return }
        if open?.number == number { closeFile() }
        restorer.remove(file, after: before, entries)
        for place in [file.place] + file.otherPlaces { restorer.fail(restorer.path(of: place), message) }
    }

    private func opened(_ number: UInt32, _ file: RestoreFile) throws -> OpenFile? {
        if let open, open.number == number { return open }
        closeFile()
        var failure: Int32 = 0
        let created = file.createOnce { () -> OpenFile? in
            guard
                let (descriptor, fresh) = entries.create(
                    file.workName, in: file.place.directory, file.attributes, isOpenedAgain: file.blobCount > 1)
            else {
                failure = errno
                return nil
            }
            // A file of several blobs gets its size at once: they come in any order, and some are holes.
            if file.blobCount > 1, ftruncate(descriptor, off_t(clamping: file.size)) != 0 { failure = errno }
            return OpenFile(number: number, descriptor: descriptor, fresh: fresh)
        }
        open = created ?? (failure == 0 ? openAgain(number, file) : nil)
        if open == nil, failure == 0 { failure = errno }
        guard failure != 0 else { return open }
        closeFile()
        guard file.progress != .failed else { return nil }
        if failure == ENOSPC || failure == EDQUOT {
            throw ArchiveError.unwritable(String(decoding: restorer.path(of: file.place), as: UTF8.self), failure)
        }
        fail(number, "It cannot be made: \(systemMessage(failure)).")
        return nil
    }

    private func openAgain(_ number: UInt32, _ file: RestoreFile) -> OpenFile? {
        guard let handle = restorer.directories.handle(file.place.directory) else { return nil }
        let descriptor = file.workName.withTerminator {
            clinux_openat(handle.descriptor, $0, O_WRONLY | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
        }
        guard descriptor >= 0 else { return nil }
        let (isNew, owner) = restorer.directories.facts(file.place.directory)
        return OpenFile(
            number: number, descriptor: descriptor, fresh: FreshEntry(owner: owner, mayInherit: !isNew))
    }

    private func closeFile() {
        if let open { close(open.descriptor) }
        open = nil
    }

    /// Writes all but longer runs of zeros.
    ///
    /// - Returns: where the last byte that was written ends; nil with errno set.
    /// - Throws: a full disk.
    private func writeBytes(
        _ content: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64, _ file: RestoreFile
    ) throws -> Int? {
        var position = 0
        var written = 0
        while position < content.count {
            position += Self.zeroByteCount(content, from: position)
            var end = position
            while end < content.count, Self.zeroByteCount(content, from: end, limit: 1) == 0 {
                end = min(end + Self.holeByteCount, content.count)
            }
            while position < end {
                let count = pwrite(
                    descriptor, content.baseAddress.map { $0 + position }, end - position,
                    off_t(clamping: offset + UInt64(position)))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    guard errno == ENOSPC || errno == EDQUOT else { return nil }
                    throw ArchiveError.unwritable(
                        String(decoding: restorer.path(of: file.place), as: UTF8.self), errno)
                }
                position += count
                written = position
            }
        }
        return written
    }

    /// How many whole blocks of zeros start at `position`, at most `limit`, in bytes.
    private static func zeroByteCount(
        _ content: UnsafeRawBufferPointer, from position: Int, limit: Int = .max
    ) -> Int {
        var end = position
        var rest = limit
        while rest > 0, content.count - end >= holeByteCount {
            guard content[end] == 0, content[end + holeByteCount - 1] == 0, let base = content.baseAddress,
                memcmp(base + end, base + end + 1, holeByteCount - 1) == 0
            else { break }
            end += holeByteCount
            rest -= 1
        }
        return end - position
    }
}
