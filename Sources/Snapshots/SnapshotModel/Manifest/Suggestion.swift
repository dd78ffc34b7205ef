/// Finds the known word that a person probably meant.
package enum Suggestion {
    /// The known word nearest to `text`, when at most a third of its letters (at least one, at most three) differ; the
    /// first of equally near ones. Case counts for nothing.
    package static func nearest(to text: String, among known: [String]) -> String? {
        let typed = Array(text.lowercased().utf8.prefix(64))
        var best: (word: String, distance: Int)?
        for word in known {
            let distance = distance(typed, Array(word.lowercased().utf8))
            let limit = min(3, max(1, word.utf8.count / 3))
            if distance <= limit, distance < best?.distance ?? Int.max { best = (word, distance) }
        }
        return best?.word
    }

    /// The optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours count one
    /// each. Source: Damerau, "A technique for computer detection and correction of spelling errors", 1964.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let isEqual = left[row] == right[column]
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (isEqual ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
