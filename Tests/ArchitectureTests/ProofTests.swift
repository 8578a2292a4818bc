import Testing

/// Articles whose tables name, row by row, the tests that hold what the row says.
@Suite("Proofs")
struct ProofTests {
    /// How many inputs each group of HostileInputs.md has.
    private static let groups = [11, 9, 5, 8, 14, 4, 5, 14, 14, 9, 7, 15, 18, 13, 6, 12, 10, 6, 3, 3]

    private static func numbers(_ article: String) -> [String] {
        switch article {
        case "OriginalFailures": (1...60).map { "B\($0)" }
        case "HostileInputs": groups.enumerated().flatMap { group, count in (1...count).map { "H\(group + 1).\($0)" } }
        case "Attacks": (1...25).map { "C\($0)" }
        default: []
        }
    }

    private static func rows(_ article: String) throws -> [ProofRow] {
        ProofRow.all(in: try SourceTree.lines("\(PackageRoot.path)/Sources/BrokerCore/BrokerCore.docc/\(article).md"))
    }

    @Test("every number has its row, once", arguments: ["OriginalFailures", "HostileInputs", "Attacks"]) func complete(article: String)
        throws
    {
        let found = try Self.rows(article).map(\.number)
        #expect(found.count == Set(found).count)
        #expect(Set(found) == Set(Self.numbers(article)))
    }

    @Test(
        "every named test is there and runs; a row without one says why",
        arguments: ["OriginalFailures", "HostileInputs", "Attacks", "ThreatModel"]) func proofs(article: String) throws
    {
        let index = try TestIndex.load()
        #expect(index.isEnabled.count > 1000)
        let rows = try Self.rows(article)
        #expect(rows.count >= 20)
        for row in rows {
            #expect(row.text.count > 3, "\(row.number) says nothing")
            for name in row.tests { #expect(index.isEnabled[name] == true, "\(row.number): \(name) is not there, or disabled") }
            if row.tests.isEmpty {
                #expect(row.reason.count > 40 && article != "ThreatModel", "\(row.number) names neither a test nor a reason")
            }
        }
    }

    @Test("the threat model numbers its promises") func promises() throws {
        let found = try Self.rows("ThreatModel").map(\.number)
        #expect(found == (1...found.count).map { "P\($0)" })
    }

    @Test("tests are found in every form, rows are read, and what is missing would be noticed") func reading() {
        var index = TestIndex()
        index.read(
            [
                "@Suite(", "    .serialized, .enabled(if: true)) struct One", "{", "    struct Inner {}", "    @Test func plain() {}",
                "    @Test(\"struct of words\", .disabled(\"why\"))", "    func off() {}", "    // @Test func comment() {}",
                "    @Test(arguments: [", "        1,", "    ]) func many(_ n: Int) {}", "}", "@Suite(.disabled()) struct Two {",
                "    @Test func `raw name`() {}", "}", "@Test func free() {}", "extension Three {", "    @Test func more() {}", "}",
            ], target: "T")
        #expect(
            index.isEnabled == [
                "T.One/plain": true, "T.One/off": false, "T.One/many": true, "T.Two/`raw name`": false, "T.free": true,
                "T.Three/more": true,
            ])
        let rows = ProofRow.all(in: [
            "| | failure | here |", "| --- | --- | --- |", "| B1 | words | `T.One/plain`, `T.One/off`. Why |",
            "| C2 | words | none: reason |",
            "| code | words | `x` |",
        ])
        #expect(rows.map(\.number) == ["B1", "C2"])
        #expect(rows.map(\.tests) == [["T.One/plain", "T.One/off"], []])
        #expect(rows.map(\.reason) == ["", "reason"])
    }
}

/// A row of a table: number, what may happen, and what holds it.
struct ProofRow {
    let number: String
    let text: String
    let tests: [String]
    /// What stands after `none:`.
    let reason: String

    static func all(in lines: [String]) -> [ProofRow] {
        lines.compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(while: { $0 == " " }) }
            guard line.hasPrefix("| "), cells.count >= 3, let number = cells[0].firstMatch(of: /^[BCHP]\d+(?:\.\d+)?(?= *$)/) else {
                return nil
            }
            let proof = cells[2]
            return ProofRow(
                number: String(number.0), text: String(cells[1]),
                tests: proof.matches(of: /`([\w.]+(?:\/[\w]+)?)`/).map { String($0.1) }.filter { $0.contains(".") && $0.contains("/") },
                reason: proof.hasPrefix("none: ") ? String(proof.dropFirst("none: ".count)).trimmed : "")
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix(upTo: lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)) }
}
