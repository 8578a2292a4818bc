import Foundation
import AzureServices
import Testing

@Suite("The documented table of failures") struct FailureDocumentTests {
    @Test("policies/failures.md has a row for each entry of the catalogue, and no other") func table() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "policies/failures.md")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        let expected = KnownFailure.catalogue.map { entry in
            let signs = entry.signs.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(entry.cause)` | \(signs) | \(entry.summary) | \(entry.nextSteps.joined(separator: "; ")) |"
        }
        #expect(rows.map(String.init) == expected, "the table should be:\n\(expected.joined(separator: "\n"))")
    }
}
