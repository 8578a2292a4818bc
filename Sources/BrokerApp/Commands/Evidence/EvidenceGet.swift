internal import ArgumentParser
internal import BrokerCore
internal import BrokerEngine
internal import InputReading
internal import OpenSSLCrypto
internal import StrictJSON

struct EvidenceGet: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Collect a report from the configured evidence provider.",
        discussion: "Writes report.bin and the certificate chain certs.pem into a directory, or the report as hex to standard output."
    ).examples("evidence get --output evidence", "evidence get --bundle bundle.json")

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Runtime data whose SHA-256 goes into the report data; nothing for empty data.", valueName: "file"))
    var runtimeData: String?

    @Option(help: ArgumentHelp("The report data itself, 128 hexadecimal digits, instead of runtime data.", valueName: "hex"))
    var reportData: String?

    @Option(help: ArgumentHelp("Where to write report.bin and certs.pem; made where it is not there.", valueName: "directory")) var output:
        String?
    @Option(
        help: ArgumentHelp(
            "Write one JSON document with all that an auditor needs to judge this machine without a network; 'evidence verify --bundle' "
                + "does. The report is made over its time.", valueName: "file")) var bundle: String?
    @Option(help: ArgumentHelp("With --bundle: AMD's revocation list, DER or PEM. May be repeated.", valueName: "file")) var crl: [String] =
        []
    @Option(help: ArgumentHelp("With --bundle: the security policy whose SHA-256 the host data is.", valueName: "file"))
    var securityPolicy: String?
    @Flag(help: "With --bundle: add the verifier's token for the same data.") var token = false
    @Flag(help: "Print JSON, with the report as hex and the certificates in PEM.") var json = false

    func validate() throws {
        if bundle == nil, !crl.isEmpty || securityPolicy != nil || token {
            throw ValidationError("--crl, --security-policy and --token go with --bundle")
        }
        if bundle != nil, output != nil || runtimeData != nil || reportData != nil {
            throw ValidationError("--bundle is written alone, and its report is made over its own data")
        }
    }

    /// What the report shall carry.
    private func binding() throws -> ReportData {
        guard let reportData else { return RuntimeData(try runtimeData.map { try InputFile.bytes($0) } ?? []).reportData }
        guard runtimeData == nil, let bytes = HexText.decode(reportData), let binding = ReportData(exactly: bytes) else {
            throw CommandFailure(.usage, "--report-data is 128 hexadecimal digits, and stands for itself without --runtime-data")
        }
        return binding
    }

    func run(_ registry: ProviderRegistry) async throws {
        if let bundle { return try await writeBundle(to: bundle, registry) }
        let binding = try binding()
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let engine = composition.engine
        let evidence = try await engine.rawEvidence(binding: binding, in: engine.makeContext(id: "evidence-get"))
        if evidence.provenance == .fixture { Console.note("note: fixture evidence, which proves nothing about this machine") }
        let certificates = try evidence.endorsements.map { try Certificate(der: $0).pem }
        if json {
            Console.json([
                "report": .string(Hex.encode(evidence.report)), "certificates": .array(certificates.map { .string($0) }),
                "evidence": .string(evidence.provenance.rawValue), "directory": output.map { .string($0) } ?? .null,
            ])
        } else if output == nil {
            Console.line(Hex.encode(evidence.report))
        }
        guard let output else { return }
        try OutputFile.makeDirectory(output)
        try OutputFile.write(evidence.report, to: "\(output)/report.bin")
        if !certificates.isEmpty { try OutputFile.write(Array(certificates.joined().utf8), to: "\(output)/certs.pem") }
        Console.note("wrote \(output)/report.bin\(certificates.isEmpty ? "; there is no certificate chain" : " and certs.pem")")
    }
}
