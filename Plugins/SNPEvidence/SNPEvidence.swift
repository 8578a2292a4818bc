public import BrokerCore

/// Evidence provider `snp`: reports from the SEV-SNP firmware of the guest that the broker runs in.
public let snpEvidence = ProviderFactory<any EvidenceProvider>(
    name: "snp",
    summary: "reports of this machine's AMD SEV-SNP firmware",
    schema: SettingsSchema([interfaceSetting.declaration])
) { settings, _ throws(BrokerError) in
    SNPProvider(interface: try settings(interfaceSetting), probe: GuestInterfaceProbe())
}

let interfaceSetting = SettingKey<InterfaceChoice>(
    "interface", default: .auto,
    help: "How reports are asked for: the kernel's configfs-tsm or /dev/sev-guest, or /dev/sev of Azure's 5.15 kernels."
)

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
