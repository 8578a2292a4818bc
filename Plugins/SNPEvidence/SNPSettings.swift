internal import BrokerCore
internal import HTTPTransport
internal import PlainText
internal import SNPReport
internal import UVMEndorsements

/// The provider's block.
struct SNPSettings {
    let interface: InterfaceChoice
    let vmpl: UInt32?
    let sources: [SourceChoice]
    let product: ProcessorProduct?
    let thimEndpoint: String
    let azureCacheEndpoint: Endpoint
    let azureCachePrefix: String
    let azureCacheQuery: String
    let kdsEndpoint: Endpoint
    let directory: String
    let rootFile: String
    let contextDirectory: String
    let securityPolicy: String
    let hostCertificates: String
    let utilityVM: String
    let uvmCheck: UVMCheckChoice
    let uvmIssuers: [String]
    let uvmMinimumSVN: UInt64
    let uvmUsages: [String]
    let tcbReferenceIssuers: [String]
    let platformReferenceIssuers: [String]

    init(_ settings: Settings) throws(BrokerError) {
        interface = try settings(Self.keys.interface)
        vmpl = try settings.optional(Self.keys.vmpl).map(UInt32.init)
        sources = try settings(Self.keys.sources).compactMap(SourceChoice.init)
        product = try settings.optional(Self.keys.product).flatMap { $0.product }
        thimEndpoint = try settings(Self.keys.thim)
        azureCacheEndpoint = try Self.host(settings.optional(Self.keys.azureCache), otherwise: "global.acccache.azure.net")
        azureCachePrefix = try settings(Self.keys.azureCachePrefix)
        azureCacheQuery = try settings(Self.keys.azureCacheQuery)
        kdsEndpoint = try Self.host(settings.optional(Self.keys.kds), otherwise: "kdsintf.amd.com")
        directory = try settings(Self.keys.directory)
        rootFile = try settings(Self.keys.rootFile)
        contextDirectory = try settings(Self.keys.contextDirectory)
        securityPolicy = try settings(Self.keys.securityPolicy)
        hostCertificates = try settings(Self.keys.hostCertificates)
        utilityVM = try settings(Self.keys.utilityVM)
        uvmCheck = try settings(Self.keys.uvmCheck)
        uvmIssuers = try settings(Self.keys.uvmIssuers)
        uvmMinimumSVN = UInt64(try settings(Self.keys.uvmMinimumSVN))
        uvmUsages = try settings(Self.keys.uvmUsages)
        tcbReferenceIssuers = try settings(Self.keys.tcbReferenceIssuers)
        platformReferenceIssuers = try settings(Self.keys.platformReferenceIssuers)
    }

    static let schema = keys.schema

    private static let keys = Keys()

    private struct Keys: SettingsGroup {
        let interface = SettingKey<InterfaceChoice>(
            "interface", default: .auto,
            help: "How reports are asked for: the kernel's configfs-tsm or /dev/sev-guest, or /dev/sev of Azure's 5.15 kernels.")
        let vmpl = SettingKey<Int>(
            "vmpl", help: "Privilege level to ask for, 0 to 3; 0 over a device and the kernel's default over configfs when unset.",
            check: { (0...3).contains($0) ? nil : "expected 0 to 3" })
        let sources = SettingKey<[String]>(
            "endorsement-sources", default: ["security-context", "report", "thim", "azure-cache", "kds"],
            help: "Where certificates come from, in order: \(SourceChoice.allCases.map(\.rawValue).joined(separator: ", ")).",
            check: { names in
                if names.isEmpty { return "at least one source is needed" }
                let unknown = names.first { SourceChoice(rawValue: $0) == nil }
                if unknown != nil { return "the sources are \(SourceChoice.allCases.map(\.rawValue).joined(separator: ", "))" }
                return Set(names).count == names.count ? nil : "each source is named once"
            })
        let product = SettingKey<ProductChoice>(
            "product", help: "The processor, where the report does not say it (version 2): milan or genoa. Found out when unset.")
        let thim = SettingKey<String>(
            "thim-endpoint", default: "169.254.169.254", help: "HOST or HOST:PORT of THIM, reached by plain http without a proxy.",
            check: { HostAndPort($0, defaultPort: 80) == nil ? "expected HOST or HOST:PORT" : nil })
        let azureCache = SettingKey<Endpoint>(
            "azure-cache-endpoint", help: "Azure's certificate cache; global.acccache.azure.net when unset.")
        let azureCachePrefix = SettingKey<String>(
            "azure-cache-tee-type", default: "SevSnpVM", help: "What the cache calls this kind of machine.", check: SNPSettings.plainPath)
        let azureCacheQuery = SettingKey<String>(
            "azure-cache-query", default: "api-version=2020-10-15-preview&clientId=ConfidentialACI",
            help: "Query of requests to the cache.",
            check: SNPSettings.plainQuery)
        let kds = SettingKey<Endpoint>("kds-endpoint", help: "AMD's key distribution service; kdsintf.amd.com when unset.")
        let directory = SettingKey<String>(
            "endorsement-directory", default: "", help: "Directory in which chains are kept over restarts; none when empty.")
        let rootFile = SettingKey<String>(
            "endorsement-root-file", default: "",
            help: "PEM file with one more root than AMD's, for machines that are not real; a loud warning at start.")
        let contextDirectory = SettingKey<String>(
            "security-context-directory", default: "",
            help: "Directory with security-policy-base64 and its neighbours (UVM_SECURITY_CONTEXT_DIR); looked for when empty.")
        let securityPolicy = SettingKey<String>(
            "security-policy", default: "", help: "The security policy as base64, where no file gives it (UVM_SECURITY_POLICY).")
        let hostCertificates = SettingKey<String>(
            "host-certificates", default: "",
            help: "The host's THIM document as base64, where no file gives it "
                + "(UVM_HOST_AMD_CERTIFICATE)."
        )
        let utilityVM = SettingKey<String>(
            "reference-info", default: "", help: "Endorsement of the utility VM as base64, where no file gives it (UVM_REFERENCE_INFO).")
        let uvmCheck = SettingKey<UVMCheckChoice>(
            "uvm-check", default: .warn,
            help:
                "What becomes of an endorsement of the utility VM that does not hold: no evidence, passed on for the verifier with a line "
                + "in the log, or passed on unread.")
        let uvmIssuers = SettingKey<[String]>(
            "uvm-issuers", default: TrustedIssuer.microsoft.map(\.text),
            help:
                "Who may endorse utility VMs: did:x509 identifier with the extended key usage, feed, and lowest SVN where one is asked "
                + "for, with spaces between.",
            check: StatementTrust.issuerComplaint)
        let uvmMinimumSVN = SettingKey<Int>(
            "uvm-minimum-svn", default: 0, in: 0...Int(Int32.max), help: "Lowest SVN of utility VMs, for every issuer.")
        let uvmUsages = SettingKey<[String]>(
            "uvm-ekus", default: [],
            help: "Extended key usages of which the endorsement's signer must have one, beside those in the issuers' identifiers.",
            check: StatementTrust.usageComplaint)
        let tcbReferenceIssuers = SettingKey<[String]>(
            "tcb-reference-issuers", default: [],
            help: "Who may sign tcb-reference-info, as in uvm-issuers; empty: it is carried and not "
                + "judged.", check: StatementTrust.issuerComplaint
        )
        let platformReferenceIssuers = SettingKey<[String]>(
            "platform-reference-issuers", default: [],
            help: "Who may sign platform-reference-info, as in uvm-issuers; empty: it is carried and not judged.",
            check: StatementTrust.issuerComplaint)
    }

    private static func host(_ configured: Endpoint?, otherwise name: String) throws(BrokerError) -> Endpoint {
        if let configured { return configured }
        do { return try Endpoint(name) } catch { throw BrokerError(.internal, at: .startup, "\(name) is no host name", cause: error) }
    }

    private static let plainPath: @Sendable (String) -> String? = { text in
        text.utf8.consists(of: .alphanumeric + "-_./", count: 1...256) && !text.contains("..")
            ? nil : "expected letters, digits, '-', '_', '.' and '/'"
    }
    private static let plainQuery: @Sendable (String) -> String? = { text in
        text.utf8.consists(of: .alphanumeric + "-_.=&", count: 0...256) ? nil : "expected name=value pairs joined by '&'"
    }
}

/// Values of `endorsement-sources`.
enum SourceChoice: String, CaseIterable {
    case securityContext = "security-context"
    case report
    case thim
    case azureCache = "azure-cache"
    case kds
}

/// Values of `product`.
enum ProductChoice: String, SettingChoice {
    case milan, genoa, turin

    var product: ProcessorProduct? { ProcessorProduct.allCases.first { $0.rawValue.lowercased() == rawValue } }
}
