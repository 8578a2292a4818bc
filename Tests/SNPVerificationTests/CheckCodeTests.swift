import SNPReport
import SNPVerification
import Testing

@Suite("Check codes") struct CheckCodeTests {
    @Test func everyCodeIsKebabCaseAndExplained() {
        for code in CheckCode.allCases {
            #expect(code.rawValue.allSatisfy { $0 == "-" || ("a"..."z").contains($0) })
            #expect(code.meaning.hasSuffix(".") && !code.meaning.contains("\n"))
        }
    }

    @Test func theDecodersCodesAreAmongThem() {
        for check in ReportError.Check.allCases { #expect(CheckCode(rawValue: check.rawValue) != nil) }
    }
}
