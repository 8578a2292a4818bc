internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import UVMEndorsements

/// What an operator can set for the verifier `local`: the rules by which evidence is judged.
struct LocalSettings: Sendable {
    let floors: [FloorPreset]
    let minimumTCB: MinimumTCB?
    let mitigations: UInt64
    let platformBits: UInt64
    let measurements: [[UInt8]]
    let hostData: [[UInt8]]
    let idKeyDigest: [UInt8]?
    let authorKeyDigest: [UInt8]?
    let vmpl: UInt32
    let allowsDebug: Bool
    let allowsMigration: Bool
    let allowsMaskedChipID: Bool
    let refusesProvisional: Bool
    let endorsement: EndorsementRule
    /// Whose endorsements of utility VMs count.
    let endorsers: StatementTrust
    let crlCheck: RevocationCheck
    let crlFiles: [String]
    let crlDirectory: String
    let crlStaleLimit: Duration
    let kds: Endpoint
    let roots: [PinnedRoot]

    init(_ settings: Settings, _ host: HostServices) throws(BrokerError) {
        floors = try Self.floors(try settings(Self.keys.floors), host.products)
        minimumTCB = MinimumTCB(parsing: try settings(Self.keys.minimumTCB))
        mitigations = BitMask.parse(try settings(Self.keys.mitigations)) ?? 0
        platformBits = BitMask.parse(try settings(Self.keys.platformBits)) ?? 0
        measurements = try settings(Self.keys.measurements).compactMap { Hex.decode($0) }
        hostData = try settings(Self.keys.hostData).compactMap { Hex.decode($0) }
        idKeyDigest = Self.bytes(try settings(Self.keys.idKeyDigest))
        authorKeyDigest = Self.bytes(try settings(Self.keys.authorKeyDigest))
        vmpl = UInt32(clamping: try settings(Self.keys.vmpl))
        allowsDebug = try settings(Self.keys.allowDebug)
        allowsMigration = try settings(Self.keys.allowMigration)
        allowsMaskedChipID = try settings(Self.keys.allowMaskedChipID)
        refusesProvisional = try settings(Self.keys.refuseProvisional)
        endorsement = try settings(Self.keys.endorsement)
        endorsers = StatementTrust(
            issuers: try settings(Self.keys.uvmIssuers), minimumSVN: UInt64(try settings(Self.keys.uvmMinimumSVN)),
            extendedKeyUsages: try settings(Self.keys.uvmUsages), time: nil)
        crlCheck = try settings(Self.keys.crlCheck)
        crlFiles = try settings(Self.keys.crlFile)
        crlDirectory = try settings(Self.keys.crlDirectory)
        crlStaleLimit = try settings(Self.keys.crlStaleLimit)
        if let configured = try settings.optional(Self.keys.kds) {
            kds = configured
        } else {
            do { kds = try Endpoint("kdsintf.amd.com") } catch {
                throw BrokerError(.internal, at: .startup, "kdsintf.amd.com is no host name", cause: error)
            }
        }
        roots = try Self.roots(try settings(Self.keys.rootFile), settings.path, host)
    }

    static let schema = keys.schema

    private static let keys = Keys()

    private struct Keys: SettingsGroup {
        let floors = SettingKey<[String]>(
            "floors", default: ["azure-fleet"],
            help: "Published floors that the host must meet, all of them; 'plugins show snp --products' lists them.")
        let minimumTCB = SettingKey<String>(
            "minimum-tcb", default: "", help: "Lowest patch levels besides: \(MinimumTCB.form).",
            check: { $0.isEmpty || MinimumTCB(parsing: $0) != nil ? nil : "expected \(MinimumTCB.form)" })
        let mitigations = SettingKey<String>(
            "mitigations", default: "", help: "Bits that must be set in both mitigation vectors, for example 0x3.",
            check: LocalSettings.mask)
        let platformBits = SettingKey<String>(
            "platform-bits", default: "", help: "Bits that must be set in PLATFORM_INFO, for example 0x20.", check: LocalSettings.mask)
        let measurements = SettingKey<[String]>(
            "measurements", default: [], help: "Launch measurements of which one is wanted, 96 hex digits each; any when empty.",
            check: LocalSettings.hex(48))
        let hostData = SettingKey<[String]>(
            "host-data", default: [], help: "Host data of which one is wanted, 64 hex digits each; any when empty.",
            check: LocalSettings.hex(32))
        let idKeyDigest = SettingKey<String>(
            "id-key-digest", default: "", help: "What ID_KEY_DIGEST must be, 96 hex digits; anything when empty.",
            check: { LocalSettings.hex(48)($0.isEmpty ? [] : [$0]) })
        let authorKeyDigest = SettingKey<String>(
            "author-key-digest", default: "", help: "What AUTHOR_KEY_DIGEST must be, 96 hex digits; anything when empty.",
            check: { LocalSettings.hex(48)($0.isEmpty ? [] : [$0]) })
        let vmpl = SettingKey<Int>("vmpl", default: 0, in: 0...3, help: "Privilege level at which reports must be made")
        let allowDebug = SettingKey<Bool>("allow-debug", default: false, help: "Accept a guest whose memory the host may read.")
        let allowMigration = SettingKey<Bool>("allow-migration", default: false, help: "Accept a guest that a migration agent may move.")
        let allowMaskedChipID = SettingKey<Bool>(
            "allow-masked-chip-id", default: false, help: "Accept a report that hides its chip id; the verdict is then limited.")
        let refuseProvisional = SettingKey<Bool>(
            "refuse-provisional", default: false, help: "Refuse firmware that runs and is not committed, which the host may roll back.")
        let endorsement = SettingKey<EndorsementRule>(
            "uvm-endorsement", default: .ifPresent,
            help: "Whether the utility VM's measurement must be endorsed: always, where there is an endorsement, or never.")
        let uvmIssuers = SettingKey<[String]>(
            "uvm-issuers", default: TrustedIssuer.microsoft.map(\.text),
            help: "Who may endorse utility VMs, as in evidence.snp.uvm-issuers.", check: StatementTrust.issuerComplaint)
        let uvmMinimumSVN = SettingKey<Int>(
            "uvm-minimum-svn", default: 0, in: 0...Int(Int32.max), help: "Lowest SVN of utility VMs, for every issuer.")
        let uvmUsages = SettingKey<[String]>(
            "uvm-ekus", default: [],
            help: "Extended key usages of which the endorsement's signer must have one, beside those in the issuers' identifiers.",
            check: StatementTrust.usageComplaint)
        let crlCheck = SettingKey<RevocationCheck>(
            "crl-check", default: .off, help: "Whether AMD's revocation list is asked; stale-ok takes one that should have been replaced.")
        let crlFile = SettingKey<[String]>(
            "crl-file", default: [],
            help: "Files with revocation lists, DER or PEM, read at each use; fetched from AMD's service when empty.")
        let crlDirectory = SettingKey<String>(
            "crl-directory", default: "", help: "Directory in which fetched revocation lists are kept over restarts; none when empty.")
        let crlStaleLimit = SettingKey<Duration>(
            "crl-stale-limit", default: .seconds(720 * 3600), in: .zero...(.seconds(8784 * 3600)),
            help: "How long after its nextUpdate stale-ok takes a list")
        let kds = SettingKey<Endpoint>("kds-endpoint", help: "AMD's key distribution service; kdsintf.amd.com when unset.")
        let rootFile = SettingKey<String>(
            "root-file", default: "",
            help: "PEM file with one more root than AMD's, for machines that are not real; a loud warning at start.")
    }

    private static let mask: @Sendable (String) -> String? = { text in
        text.isEmpty || BitMask.parse(text) != nil ? nil : "expected a mask such as 0x3"
    }

    private static func hex(_ count: Int) -> @Sendable ([String]) -> String? {
        { texts in texts.allSatisfy { Hex.decode($0)?.count == count } ? nil : "expected \(2 * count) hex digits" }
    }

    private static func bytes(_ text: String) -> [UInt8]? { text.isEmpty ? nil : Hex.decode(text) }

    private static func floors(_ names: [String], _ products: ProductTable) throws(BrokerError) -> [FloorPreset] {
        var floors: [FloorPreset] = []
        for name in names {
            guard let floor = products.floor(named: name) else {
                throw BrokerError(
                    .misconfigured, at: .startup,
                    "verifier.local.floors: there is no floor '\(name)'; one of \(products.floors.map(\.name).joined(separator: ", "))")
            }
            floors.append(floor)
        }
        return floors
    }

    private static func roots(_ file: String, _ path: String, _ host: HostServices) throws(BrokerError) -> [PinnedRoot] {
        guard !file.isEmpty else { return [] }
        var roots: [PinnedRoot] = []
        do {
            for certificate in try Certificate.parse(pemOrDER: BoundedFile.read(file, limit: 1 << 16), maximumCount: 8) {
                guard let product = host.products.product(ofRoot: certificate.subjectCommonName) else { continue }
                roots.append(PinnedRoot(name: "configured ARK-\(product)", product: product, certificate: certificate))
            }
        } catch { throw BrokerError(.misconfigured, at: .startup, "\(path).root-file: \(error)") }
        guard !roots.isEmpty else {
            throw BrokerError(
                .misconfigured, at: .startup, "\(path).root-file: \(file) holds no certificate named one of \(host.products.rootNames)")
        }
        host.logger.warning(
            "\(path).root-file: roots beside AMD's are trusted; whoever holds their keys can pretend to be any machine",
            metadata: ["file": "\(file)"])
        return roots
    }
}

/// Values of `uvm-endorsement`.
enum EndorsementRule: String, SettingChoice {
    case require
    case ifPresent = "if-present"
    case off
}

/// Values of `crl-check`.
enum RevocationCheck: String, SettingChoice {
    case off
    case staleOK = "stale-ok"
    case required
}
