/// Finds what somebody probably meant to write.
package enum NearestName {
    /// The candidate with the smallest edit distance to `name`, where it is small enough to be a slip; the first of equals.
    package static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = folded(name)
        let limit = tolerance(wanted.count)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let letters = folded(candidate)
            guard abs(letters.count - wanted.count) <= limit else { continue }
            let distance = distance(wanted, letters)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    private static func tolerance(_ length: Int) -> Int {
        switch length {
        case ...4: 1
        case ...9: 2
        default: min(length / 3, 4)
        }
    }

    // Case and the choice between '_' and '-' are not counted. Longer names than any known one are not worth comparing.
    private static func folded(_ text: String) -> [UInt8] {
        text.lowercased().utf8.prefix(100).map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours ("optimal string alignment").
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for (row, a) in left.enumerated() {
            var current = [Int](repeating: row + 1, count: right.count + 1)
            for (column, b) in right.enumerated() {
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (a == b ? 0 : 1))
                if row > 0, column > 0, a == right[column - 1], left[row - 1] == b { cost = min(cost, beforeLast[column - 1] + 1) }
                current[column + 1] = cost
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
