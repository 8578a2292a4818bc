internal import Issuing
internal import BrokerCore
internal import OpenSSLCrypto
internal import PlainText
internal import SNPFixture
internal import SNPReport

/// Settings of the provider `fixture`, read and checked once.
struct FixtureSettings: Sendable {
    enum Product: String, SettingChoice {
        case milan, genoa, turin, venice

        var product: ProcessorProduct {
            switch self {
            case .milan: .milan
            case .genoa: .genoa
            case .turin: .turin
            case .venice: .venice
            }
        }
    }

    static let keys = Keys()

    struct Keys: SettingsGroup {
        let product = SettingKey<Product>("product", default: .milan, help: "Processor that the reports come from.")
        let version = SettingKey<Int>(
            "version", default: 3, in: 2...7,
            help: "Version of the report format; 7 stands for one that nobody knows, and 6 is known of venice alone")
        let directory = SettingKey<String>(
            "directory", default: "",
            help: "Where the fixture authority is kept and made on first use, so that a simulator can trust it; empty: in memory.")
        let securityPolicy = SettingKey<String>(
            "security-policy", default: "",
            help: "File with the security policy, Rego or base64, whose SHA-256 becomes HOST_DATA; empty: a built-in sample.")
        let measurement = SettingKey<String>(
            "measurement", default: "",
            help: "Launch measurement, 96 hex digits, to go with the UVM endorsements; empty: one of the fixture's own.",
            check: { $0.isEmpty || Hex.decode($0)?.count == 48 ? nil : "expected 96 hex digits" })
        let debug = SettingKey<Bool>("debug", default: false, help: "Guest policy bit 19: the host may debug the guest.")
        let migration = SettingKey<Bool>("migration", default: false, help: "Guest policy bit 18: a migration agent may move the guest.")
        let vmpl = SettingKey<Int>(
            "vmpl", default: 0, help: "Privilege level of the guest software, 0 to 3.",
            check: { (0...3).contains($0) ? nil : "expected a number from 0 to 3" })
        let tcb = SettingKey<String>(
            "tcb", default: "", help: "TCB version as 16 hex digits, as THIM prints it; empty: one that fits the product.",
            check: { $0.isEmpty || Hex.decode($0)?.count == 8 ? nil : "expected 16 hex digits" })
        let uvmEndorsements = SettingKey<String>(
            "uvm-endorsements", default: "", help: "File with endorsements of the utility VM (COSE_Sign1), raw or base64.")
        let endorseMeasurement = SettingKey<Bool>(
            "endorse-measurement", default: false,
            help: "Endorse the measurement as Microsoft endorses a utility VM, by a publisher of the fixture's own that is kept in "
                + "'directory'; simulators that trust it claim azure-compliant-uvm.")
        let reportFile = SettingKey<String>(
            "report-file", default: "",
            help: "Recorded report to play back, raw, hex or base64, instead of making reports; for its own report data only.")
        let certificatesFile = SettingKey<String>(
            "certificates-file", default: "", help: "Certificates of the recorded report, PEM or DER.")
    }

    static let schema = keys.schema

    /// A report to play back.
    struct Recording: Sendable {
        let reportFile: String
        let certificatesFile: String
    }

    let product: ProcessorProduct
    /// `nil`: in memory.
    let directory: String?
    let tcb: TCBVersion?
    let recording: Recording?
    let platformEndorsements: [[UInt8]]
    /// Whether the fixture endorses the measurement itself.
    let endorsesMeasurement: Bool
    /// A report with everything set but report data, chip, TCB and signature.
    let template: ReportBuilder

    init(_ settings: Settings) throws(BrokerError) {
        product = try settings(Self.keys.product).product
        let directory = try settings(Self.keys.directory)
        self.directory = directory.isEmpty ? nil : directory
        let tcbText = try settings(Self.keys.tcb)
        tcb = Hex.decode(tcbText).flatMap { $0.isEmpty ? nil : TCBVersion(raw: $0.reduce(0) { $0 << 8 | UInt64($1) }) }

        var template = ReportBuilder()
        template.version = UInt32(clamping: try settings(Self.keys.version))
        for (field, level) in [(\ReportBuilder.currentETCB, UInt8(3)), (\.launchETCB, 1), (\.committedETCB, 2)] {
            template[keyPath: field] = [UInt8](repeating: level, count: ExtendedTCB.names.count) + [UInt8](repeating: 0, count: 18)
        }
        template.vmpl = UInt32(clamping: try settings(Self.keys.vmpl))
        var policy = template.policy.raw
        if try settings(Self.keys.migration) { policy |= 1 << 18 }
        if try settings(Self.keys.debug) { policy |= 1 << 19 }
        template.policy = GuestPolicy(raw: policy)
        let securityPolicy = try Self.content(of: Self.keys.securityPolicy, in: settings).map { PlainOrBase64.decode($0) }
        template.hostData = DigestAlgorithm.sha256.digest(securityPolicy ?? SamplePolicy.bytes)
        let measurement = try settings(Self.keys.measurement)
        template.measurement =
            measurement.isEmpty
            ? DigestAlgorithm.sha384.digest(Array("attestation-broker fixture: utility VM".utf8)) : Hex.decode(measurement) ?? []
        template.idKeyDigest = DigestAlgorithm.sha384.digest(Array("attestation-broker fixture: ID key".utf8))
        template.reportID = SecureRandom.bytes(32)
        self.template = template

        let endorsements = try Self.content(of: Self.keys.uvmEndorsements, in: settings).map { PlainOrBase64.decode($0) }
        // COSE_Sign1 is an array of four, usually with tag 18.
        if let first = endorsements?.first, first != 0xD2, first != 0x84 {
            throw Self.complaint(settings, Self.keys.uvmEndorsements.name, "the file holds no COSE_Sign1 message, neither raw nor base64")
        }
        platformEndorsements = endorsements.map { [$0] } ?? []

        let reportFile = try settings(Self.keys.reportFile)
        let certificatesFile = try settings(Self.keys.certificatesFile)
        guard reportFile.isEmpty == certificatesFile.isEmpty else {
            throw Self.complaint(
                settings, reportFile.isEmpty ? Self.keys.reportFile.name : Self.keys.certificatesFile.name,
                "a recorded report needs both report-file and certificates-file")
        }
        endorsesMeasurement = try settings(Self.keys.endorseMeasurement)
        if endorsesMeasurement, !platformEndorsements.isEmpty || !reportFile.isEmpty {
            throw Self.complaint(
                settings, Self.keys.endorseMeasurement.name, "goes with reports that the fixture makes, and without other UVM endorsements")
        }
        recording = reportFile.isEmpty ? nil : Recording(reportFile: reportFile, certificatesFile: certificatesFile)
    }

    static let maximumFileBytes = 4 << 20

    /// Content of the file that a setting names, `nil` when it names none.
    private static func content(of key: SettingKey<String>, in settings: Settings) throws(BrokerError) -> [UInt8]? {
        let path = try settings(key)
        guard !path.isEmpty else { return nil }
        let content: [UInt8]
        do throws(BoundedFile.Failure) { content = try BoundedFile.read(path, limit: maximumFileBytes) } catch {
            throw complaint(settings, key.name, error.description)
        }
        guard !content.isEmpty else { throw complaint(settings, key.name, "\(path): is empty") }
        return content
    }

    private static func complaint(_ settings: Settings, _ name: String, _ text: String) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "\(settings.path).\(name): \(text)")
    }
}

/// Content that people store either as it is or as one base64 text.
enum PlainOrBase64 {
    /// The decoded bytes when the whole content, but for white space around it, is standard base64; otherwise the content itself.
    static func decode(_ content: [UInt8]) -> [UInt8] {
        let text = content.trimmed(.whiteSpace)
        guard !text.isEmpty, text.allSatisfy({ $0 < 0x80 }), let decoded = Base64.decode(String(decoding: text, as: UTF8.self)) else {
            return content
        }
        return decoded
    }
}
