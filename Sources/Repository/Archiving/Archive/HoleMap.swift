import CLinux
import Glibc

/// Where an open file has holes: ranges that were never written, read as zeros and take no space (lseek(2), SEEK_DATA).
///
/// Asked piece by piece while the file is read. A file system that knows no holes says that everything is data.
struct HoleMap {
    /// A part of the file in which all is data or all is hole.
    struct Segment {
        let isHole: Bool
        let range: Range<UInt64>
    }

    private let descriptor: Int32
    private var last = Segment(isHole: false, range: 0..<0)

    /// - Returns: nil for a file that has room for all its bytes: looking for holes would only cost.
    init?(_ descriptor: Int32) {
        var stat = clinux_stat()
        guard clinux_fstat(descriptor, &stat) == 0, stat.blocks_512 >= 0,
            UInt64(stat.blocks_512) < stat.size / 512
        else { return nil }
        self.descriptor = descriptor
    }

    /// The part that `position` lies in; nil at the end of the file.
    mutating func segment(at position: UInt64) -> Segment? {
        if last.range.contains(position) { return last }
        guard let start = off_t(exactly: position) else { return nil }
        let data = lseek(descriptor, start, CLINUX_SEEK_DATA)
        if data < 0, errno == ENXIO {
            // No data from here on: the file ends in a hole, or here.
            var stat = clinux_stat()
            guard clinux_fstat(descriptor, &stat) == 0, stat.size > position else { return nil }
            last = Segment(isHole: true, range: position..<stat.size)
        } else if data > start {
            last = Segment(isHole: true, range: position..<UInt64(data))
        } else {
            // Reading shows where data ends when the system does not say.
            let hole = data < 0 ? -1 : lseek(descriptor, start, CLINUX_SEEK_HOLE)
            last = Segment(isHole: false, range: position..<(hole > start ? UInt64(hole) : .max))
        }
        return last
    }
}
