import BrokerCore
import Subprocess
import SystemPackage

/// Evidence provider `command`: a configured program writes the report, for a machine whose firmware only that program can ask.
///
/// The program gets the 64 bytes of REPORT_DATA as 128 hexadecimal digits, its last argument, and writes the 1184 bytes of the report to standard output.
public let commandEvidence = ProviderFactory<any EvidenceProvider>(
    name: "command", summary: "reports that a configured program writes", schema: CommandSettings.schema
) { settings, host throws(BrokerError) in
    CommandEvidence(try CommandSettings(settings))
}

/// The settings below `evidence.command`. Each is declared once: the declaration decodes it, checks it and documents it in `plugins show command`.
struct CommandSettings: Sendable {
    static let program = SettingKey<String>("program", required: true, help: "Path of the program that writes a report.")
    static let arguments = SettingKey<[String]>("arguments", default: [], help: "Its arguments before the report data.")
    static let certificates = SettingKey<String>(
        "certificates-file", required: true, help: "PEM file with the chain that endorses its reports: VCEK, ASK, ARK.")
    static let schema = SettingsSchema([program.declaration, arguments.declaration, certificates.declaration])

    let program: String
    let arguments: [String]
    /// DER, leaf first.
    let certificates: [[UInt8]]

    init(program: String, arguments: [String], certificates: [[UInt8]]) {
        self.program = program
        self.arguments = arguments
        self.certificates = certificates
    }

    init(_ settings: Settings) throws(BrokerError) {
        program = try settings(Self.program)
        arguments = try settings(Self.arguments)
        let file = try settings(Self.certificates)
        let pem: [UInt8]
        do { pem = try BoundedFile.read(file, limit: 64 * 1024) } catch {
            throw BrokerError(.misconfigured, at: .startup, "\(settings.path).\(Self.certificates.name): \(error)")
        }
        certificates = PEM.certificates(pem)
        guard !certificates.isEmpty else {
            throw BrokerError(.misconfigured, at: .startup, "\(settings.path).\(Self.certificates.name): \(file) holds no certificate")
        }
    }
}

struct CommandEvidence: EvidenceProvider {
    let provenance = Evidence.Provenance.hardware
    private let settings: CommandSettings
    /// The size of ATTESTATION_REPORT (AMD 56860).
    private static let reportSize = 1184

    init(_ settings: CommandSettings) { self.settings = settings }

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        let report = try await run(binding)
        guard report.count == Self.reportSize, Array(report[0x50..<0x90]) == binding.bytes else {
            throw BrokerError(.evidenceUnavailable, at: .evidence, "\(settings.program) wrote no report over the data that it was given")
        }
        // REPORTED_TCB is eight bytes at 0x180, least significant first.
        let tcb = report[0x180..<0x188].reversed().map { Self.hex($0) }.joined()
        return Evidence(report: report, endorsements: settings.certificates, endorsedTCB: tcb, provenance: provenance)
    }

    /// What the program wrote. The engine cancels this task when the request's time is over, which ends the program.
    private func run(_ binding: ReportData) async throws(BrokerError) -> [UInt8] {
        let data = binding.bytes.map { Self.hex($0) }.joined()
        do {
            let result = try await Subprocess.run(
                .path(FilePath(settings.program)), arguments: Arguments(settings.arguments + [data]),
                output: .bytes(limit: 4096), error: .discarded)
            guard result.terminationStatus.isSuccess else {
                throw BrokerError(.evidenceUnavailable, at: .evidence, "\(settings.program) ended with \(result.terminationStatus)")
            }
            return result.standardOutput
        } catch let error as BrokerError {
            throw error
        } catch {
            throw BrokerError(.evidenceUnavailable, at: .evidence, "\(settings.program) cannot be run: \(error)", cause: error)
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
    }
}
