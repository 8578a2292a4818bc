/// Finds what somebody probably meant to write.
enum NearestText {
    private static let maximumLength = 100

    /// The candidate with the smallest edit distance, where that is small enough to be a slip; case is not counted.
    static func nearest(to text: String, among candidates: [String]) -> String? {
        let wanted = Array(text.lowercased().utf8.prefix(maximumLength))
        let limit = wanted.count < 6 ? 1 : wanted.count < 12 ? 2 : 4
        var best: (text: String, distance: Int)?
        for candidate in candidates {
            let letters = Array(candidate.lowercased().utf8)
            guard abs(letters.count - wanted.count) <= limit else { continue }
            let distance = distance(wanted, letters)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.text
    }

    /// Insertions, deletions and replacements.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var last = Array(0...right.count)
        for (row, a) in left.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for (column, b) in right.enumerated() {
                current.append(min(last[column + 1] + 1, current[column] + 1, last[column] + (a == b ? 0 : 1)))
            }
            last = current
        }
        return last[right.count]
    }
}
