public import BrokerCore

/// Evidence provider `snp`: reports from the SEV-SNP firmware of the guest that the broker runs in, with the certificates that endorse
/// them.
public let snpEvidence = ProviderFactory<any EvidenceProvider>(
    name: "snp", summary: "reports of this machine's AMD SEV-SNP firmware", schema: SNPSettings.schema
) { settings, host throws(BrokerError) in
    let options = try SNPSettings(settings)
    let device = SNPDevice(
        interfaces: options.interface.interfaces, vmpl: options.vmpl, wantsCertificates: options.sources.contains(.report))
    return SNPProvider(
        device: device, endorsements: try EndorsementSettings.resolver(options, host),
        platform: try PlatformContext(options, time: host.clock.now()),
        logger: host.logger)
}

/// Values of the setting `interface`.
enum InterfaceChoice: String, SettingChoice {
    case auto
    case sevGuest = "sev-guest"
    case sevLegacy = "sev-legacy"
    case configfsTSM = "configfs-tsm"

    /// What to look for, the preferred one first.
    var interfaces: [GuestInterface] {
        switch self {
        case .auto: GuestInterface.allCases
        case .sevGuest: [.sevGuest]
        case .sevLegacy: [.sevLegacy]
        case .configfsTSM: [.configfsTSM]
        }
    }
}
