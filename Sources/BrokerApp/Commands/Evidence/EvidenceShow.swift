internal import ArgumentParser
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

struct EvidenceShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Decode a report without judging it.",
        discussion: """
            Exit status 1 when the bytes are not a report: another length, version 0 or 1, another signature algorithm. Of a version that \
            is not known every field is shown as the newest known one has it, and named as unjudged.
            """
    ).examples("evidence show report.bin")

    @Argument(
        help: ArgumentHelp(
            "The report: raw, hex or base64, the answer of /attest/raw, or what the device gave; - for standard input.", valueName: "report"
        ))
    var report: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let decoded: AttestationReport
        do { decoded = try AttestationReport(EvidenceFiles.report(report)) } catch let error as ReportError {
            throw CommandFailure(.refused, "not an attestation report: \(error)")
        }
        let problems = try AttestationReport.inspect(decoded.bytes).problems
        for problem in problems { Console.note("note: \(problem)") }
        if json {
            Console.json(ReportJSON.value(decoded, product: nil))
        } else {
            for line in ReportText.lines(decoded, product: nil) { Console.line(line) }
            Console.note("decoded, not verified; 'evidence verify' says whether to believe it")
        }
    }
}

struct EvidenceChecks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks", abstract: "List the codes of all checks and what each means when it fails."
    ).examples("evidence checks")

    @Flag(help: "Print JSON.") var json = false

    func run() {
        let rows = CheckCatalogue.rows
        if json {
            let value = JSONValue.array(rows.map { ["code": .string($0.code), "meaning": .string($0.meaning)] })
            Console.json(value)
        } else {
            for row in rows { Console.line(row.code + String(repeating: " ", count: max(1, 34 - row.code.utf8.count)) + row.meaning) }
        }
    }
}

/// All check codes of `evidence verify`.
enum CheckCatalogue {
    static var rows: [(code: String, meaning: String)] {
        [("certificate-malformed", "A file that was given as certificates holds none in PEM or DER.")]
            + CheckCode.allCases.map { ($0.rawValue, $0.meaning) } + UVMCheckCode.allCases.map { ($0.rawValue, $0.meaning) }
            + StatementCheckCodes.rows
            + BundleCode.allCases.map { ($0.rawValue, $0.meaning) }
    }
}
