internal import ArgumentParser
internal import BrokerCore
internal import BrokerEngine
internal import Glibc
internal import InputReading
internal import OpenSSLCrypto
internal import StrictJSON

struct EvidenceGet: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Collect a report from the configured evidence provider.",
        discussion: "Writes report.bin and the certificate chain certs.pem into a directory, or the report as hex to standard output."
    ).examples("evidence get --output evidence")

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Runtime data whose SHA-256 goes into the report data; nothing for empty data.", valueName: "file"))
    var runtimeData: String?

    @Option(help: ArgumentHelp("The report data itself, 128 hexadecimal digits, instead of runtime data.", valueName: "hex"))
    var reportData: String?

    @Option(help: ArgumentHelp("Where to write report.bin and certs.pem; made where it is not there.", valueName: "directory")) var output:
        String?
    @Flag(help: "Print JSON, with the report as hex and the certificates in PEM.") var json = false

    /// What the report shall carry.
    private func binding() throws -> ReportData {
        guard let reportData else { return RuntimeData(try runtimeData.map { try InputFile.bytes($0) } ?? []).reportData }
        guard runtimeData == nil, let bytes = HexText.decode(reportData), let binding = ReportData(exactly: bytes) else {
            throw CommandFailure(.usage, "--report-data is 128 hexadecimal digits, and stands for itself without --runtime-data")
        }
        return binding
    }

    func run(_ registry: ProviderRegistry) async throws {
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

/// Files that commands write.
enum OutputFile {
    /// Makes the directory and those above it, where they are not there.
    static func makeDirectory(_ path: String) throws {
        var made = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            made += "\(name)/"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Writes a file anew, readable for everybody; the directory must exist.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }
}
