internal import BrokerCore
internal import Glibc

/// Says truthfully what this machine offers. Reading reports from the interfaces is not part of this version, and evidence is never made up.
struct SNPProvider: EvidenceProvider, ReadinessReporting {
    let provenance = Evidence.Provenance.hardware
    let interface: InterfaceChoice
    let probe: GuestInterfaceProbe

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        throw BrokerError(.evidenceUnavailable, at: .evidence, obstacle)
    }

    func obstacles(in context: RequestContext) async -> [String] { [obstacle] }

    private var obstacle: String {
        let findings = interface.interfaces.map { ($0, probe.find($0)) }
        if let (found, _) = findings.first(where: { $0.1 == .present }) {
            return "\(found.path) is there, but this version cannot read reports from \(found.rawValue) yet; "
                + "for development set evidence.use to fixture"
        }
        let words = findings.map { interface, finding in
            switch finding {
            case .present, .absent: "\(interface.path) is absent"
            case .somethingElse:
                "\(interface.path) is not a \(interface.isDirectory ? "directory" : "character device")"
            case .failed(let code): "\(interface.path): \(String(cString: strerror(code)))"
            }
        }
        return "no SEV-SNP guest interface: \(words.joined(separator: ", ")). "
            + "Run the broker in an SEV-SNP guest and give its container the device (kernel module sev-guest); "
            + "for development set evidence.use to fixture"
    }
}
