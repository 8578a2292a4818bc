internal import ArgumentParser
internal import InputReading
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification

/// What evidence must show beyond being genuine, as options of commands.
struct JudgementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Lowest patch levels of REPORTED_TCB and COMMITTED_TCB: \(MinimumTCB.form).", valueName: "levels"),
        transform: Self.levels) var minimumTcb: MinimumTCB?

    @Option(
        help: ArgumentHelp(
            "A published floor that must be met, for example AMD-SB-3019; 'plugins show snp --products' lists them. May be repeated.",
            valueName: "name")) var floor: [String] = []

    @Option(
        help: ArgumentHelp("Bits that must be set in both mitigation vectors, for example 0x3.", valueName: "mask"),
        transform: Self.mask) var mitigations: UInt64?

    @Option(
        help: ArgumentHelp("Bits that must be set in PLATFORM_INFO, for example 0x20.", valueName: "mask"), transform: Self.mask)
    var platformBits: UInt64?

    @Option(
        help: ArgumentHelp("AMD's revocation list of the product, DER or PEM. May be repeated.", valueName: "file")) var crl: [String] = []

    @Option(
        help: ArgumentHelp(
            "Whether a revocation list is needed: off, stale-ok (it may be older than it should be), required. The default is required "
                + "where --crl is given, and off elsewhere.", valueName: "mode")) var crlCheck: RevocationCheckChoice?

    @Option(help: ArgumentHelp("How many days after its nextUpdate stale-ok takes a list.", valueName: "days")) var crlStaleLimit = 30

    @Option(help: ArgumentHelp("What ID_KEY_DIGEST must be: 48 bytes.", valueName: "hex")) var idKeyDigest: String?
    @Option(help: ArgumentHelp("What AUTHOR_KEY_DIGEST must be: 48 bytes.", valueName: "hex")) var authorKeyDigest: String?

    @Option(
        help: ArgumentHelp("JSON file with products and floors beside those that are built in.", valueName: "file")) var products: String?

    @Flag(help: "Refuse firmware that runs and is not committed, which the host may roll back.") var refuseProvisional = false

    /// The table with what the file says.
    func table() throws -> ProductTable { try products.map(ProductsInput.table) ?? .builtIn }

    /// A policy that demands all this.
    func policy(time: Int64, _ table: ProductTable) throws -> EvidenceVerifier.Policy {
        var policy = EvidenceVerifier.Policy(time: time, products: table)
        policy.minimumTCB = minimumTcb
        policy.floors = try floor.map { name in
            if let preset = table.floor(named: name) { return preset }
            throw CommandFailure(
                .usage, "there is no floor '\(name)'", nextStep: "one of " + table.floors.map(\.name).joined(separator: ", "))
        }
        policy.requiredMitigations = mitigations ?? 0
        policy.requiredPlatformBits = platformBits ?? 0
        policy.refusesProvisionalFirmware = refuseProvisional
        policy.expectedIDKeyDigest = try idKeyDigest.map { try HexText.bytes($0, of: "--id-key-digest", count: 48...48) }
        policy.expectedAuthorKeyDigest = try authorKeyDigest.map { try HexText.bytes($0, of: "--author-key-digest", count: 48...48) }
        policy.revocation = try revocation()
        return policy
    }

    private func revocation() throws -> RevocationRule {
        guard (0...3650).contains(crlStaleLimit) else { throw CommandFailure(.usage, "--crl-stale-limit is 0 to 3650 days") }
        let mode: RevocationRule.Mode =
            switch crlCheck ?? (crl.isEmpty ? .off : .required) {
            case .off: .off
            case .staleOK: .staleOK(limit: Int64(crlStaleLimit) * 86_400)
            case .required: .required
            }
        let sources = try crl.map { path in
            let content = try InputFile.bytes(path, limit: RevocationList.maximumByteCount * 2)
            return RevocationRule.Source(
                name: InputFile.name(path), list: Result { () throws(CryptoError) in try RevocationList(pemOrDER: content) })
        }
        return RevocationRule(mode, sources: sources, obstacle: "none was given")
    }

    private static let levels: @Sendable (String) throws -> MinimumTCB = { text in
        guard let minimum = MinimumTCB(parsing: text) else { throw ValidationError("expected \(MinimumTCB.form)") }
        return minimum
    }

    private static let mask: @Sendable (String) throws -> UInt64 = { text in
        guard let mask = BitMask.parse(text) else { throw ValidationError("expected a mask such as 0x3") }
        return mask
    }
}

/// Values of `--crl-check`.
enum RevocationCheckChoice: String, ExpressibleByArgument, CaseIterable {
    case off
    case staleOK = "stale-ok"
    case required
}

/// Files of products.
enum ProductsInput {
    static func table(_ path: String) throws -> ProductTable {
        do { return try ProductFile.apply(InputFile.bytes(path, limit: ProductFile.maximumBytes)) } catch let error as ProductFile.Failure {
            throw CommandFailure(
                .impossible, "\(InputFile.name(path)): no file of products: \(error)", nextStep: "samples/products.schema.json describes it"
            )
        }
    }
}

extension HexText {
    /// Bytes of an option's value.
    static func bytes(_ text: String, of option: String, count: ClosedRange<Int>) throws -> [UInt8] {
        guard let bytes = HexText.decode(text), count.contains(bytes.count) else {
            let size = count.lowerBound == count.upperBound ? "\(count.upperBound)" : "\(count.lowerBound) to \(count.upperBound)"
            throw CommandFailure(.usage, "\(option) wants \(size) bytes in hex, two digits each")
        }
        return bytes
    }
}
