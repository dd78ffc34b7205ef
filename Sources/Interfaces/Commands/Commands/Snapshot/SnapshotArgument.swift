import SnapshotModel

/// `SNAPSHOT` or `SNAPSHOT:PATH` on the command line.
struct SnapshotArgument {
    let name: String
    let path: String?

    init(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else {
            (name, path) = (text, nil)
            return
        }
        name = String(text[..<colon])
        path = String(text[text.index(after: colon)...])
    }
}
