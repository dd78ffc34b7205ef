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

    /// The path with one slash before each name and none at the end; empty for the top of the snapshot.
    var normalizedPath: String {
        (path ?? "").split(separator: "/").reduce("") { "\($0)/\($1)" }
    }
}
