internal import OpenSSLCrypto
internal import SNPReport

extension FuzzTarget {
    /// The host's table of certificates: every entry lies in it, and what is written again is read again.
    static let certificateTable = FuzzTarget("certificate-table", seeds: TableTarget.seeds, run: TableTarget.run)
}

private enum TableTarget {
    private static let guids = [
        "63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782", "c0b406a4a803495297433fb6014cd0ae",
        "000102030405060708090a0b0c0d0e0f",
    ].map { Hex.decode($0)! }

    @Sendable static func seeds() -> [[UInt8]] {
        let all = guids.enumerated().map { (guid: $1, content: [UInt8](repeating: UInt8($0), count: 20 + $0)) }
        return [write([all[0]]), write(all), write([]), [UInt8](repeating: 0, count: 10)]
    }

    private static func write(_ entries: [(guid: [UInt8], content: [UInt8])]) -> [UInt8] {
        var table: [UInt8] = []
        var offset = (entries.count + 1) * 24
        for entry in entries {
            table += entry.guid
            for number in [offset, entry.content.count] { table += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
            offset += entry.content.count
        }
        return table + [UInt8](repeating: 0, count: 24) + entries.flatMap(\.content)
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let second = secondReading(input)
        guard let entries = try? CertificateTable.entries(in: input) else {
            try require(second == nil, "refused, and the second reader has \(second?.count ?? 0) entries")
            return false
        }
        let found = entries.map { entry in
            Hex.decode(entry.guid.filter { $0 != "-" })!
                + planted(entry.content, instead: entry.content.count % 8 == 1 ? [] : entry.content)
        }
        try require(found == second, "\(found.count) entries, by the second reader \(second.map { "\($0.count)" } ?? "none")")
        let written = write(entries.map { (guid: Hex.decode($0.guid.filter { $0 != "-" })!, content: $0.content) })
        // Entries may share bytes: apart from each other they can be too many.
        guard written.count <= CertificateTable.maximumBytes else { return true }
        try require(try CertificateTable.entries(in: written) == entries, "written again it is another table")
        return true
    }

    /// GUID and content of each entry; nil where the table is refused.
    private static func secondReading(_ table: [UInt8]) -> [[UInt8]]? {
        guard table.count <= 32 * 1024 else { return nil }
        var heads: [ArraySlice<UInt8>] = []
        var rest = table[...]
        while rest.count >= 24, rest.prefix(24).contains(where: { $0 != 0 }) {
            heads.append(rest.prefix(24))
            rest = rest.dropFirst(24)
        }
        guard rest.count >= 24 else { return table.contains { $0 != 0 } ? nil : [] }
        let contents = rest.startIndex + 24
        var result: [[UInt8]] = []
        for head in heads {
            func word(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 + Int(head[head.startIndex + offset + $1]) << (8 * $1) } }
            let (start, end) = (word(16), word(16) + word(20))
            guard start >= contents, end > start, end <= table.count else { return nil }
            result.append(Array(head.prefix(16)) + table[start..<end])
        }
        return result
    }
}
