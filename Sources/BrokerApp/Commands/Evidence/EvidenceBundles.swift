internal import AttestationTokens
internal import BrokerCore
internal import BrokerEngine
internal import InputReading
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

extension EvidenceGet {
    /// Collects everything into one document.
    func writeBundle(to path: String, _ registry: ProviderRegistry) async throws {
        var bundle = EvidenceBundle(created: SystemClock().now(), nonce: SecureRandom.hex(32))
        bundle.revocationLists = try crl.map { file in
            let content = try InputFile.bytes(file, limit: RevocationList.maximumByteCount * 2)
            do { return try RevocationList(pemOrDER: content).der } catch let error as CryptoError {
                throw CommandFailure(.impossible, "\(InputFile.name(file)): no revocation list: \(error.reason)")
            }
        }
        bundle.securityPolicy = try securityPolicy.map { try SecurityPolicyFile.readOne($0, as: nil) }
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let engine = composition.engine
        let data = RuntimeData(bundle.runtimeData)
        let evidence = try await engine.combinedEvidence(for: data, in: engine.makeContext(id: "evidence-bundle"))
        if evidence.provenance == .fixture { Console.note("note: fixture evidence, which proves nothing about this machine") }
        bundle.report = evidence.report
        bundle.certificates = evidence.endorsements
        bundle.platformEndorsements = evidence.platformEndorsements
        if token { bundle.token = try await engine.token(for: data, from: nil, in: engine.makeContext(id: "evidence-bundle")).compact }
        try OutputFile.write(bundle.serialized(), to: path)
        if json {
            Console.json(["bundle": .string(path), "created": .string(bundle.created), "evidence": .string(evidence.provenance.rawValue)])
        } else {
            Console.note("wrote \(path)")
        }
    }
}

/// A bundle, taken apart for its judgement.
struct JudgedBundle {
    let bundle: EvidenceBundle
    /// What was looked at of the document and its token.
    let checks: [Check]
    let notChecked: [Omission]

    init(_ path: String) throws {
        let bytes = try InputFile.bytes(path, limit: EvidenceBundle.maximumBytes)
        let read: (bundle: EvidenceBundle, checks: [Check])
        do { read = try EvidenceBundle.read(bytes) } catch {
            throw CommandFailure(
                .impossible, "\(InputFile.name(path)): no bundle, or one that was changed: \(error)",
                nextStep: "'evidence get --bundle' writes one")
        }
        bundle = read.bundle
        guard let token = bundle.token else {
            checks = read.checks
            notChecked = []
            return
        }
        checks = read.checks + [Self.check(token, bundle.report)]
        notChecked = [Omission("token-signature", "who signed the token: 'token verify' does, with the authority's keys")]
    }

    private static func check(_ compact: String, _ report: [UInt8]) -> Check {
        guard let token = try? MAAToken(compact: compact), let report = try? AttestationReport(report) else {
            return Check(BundleCode.token.rawValue, false, "the token cannot be read")
        }
        let claimed = token.hardwareClaims(.sevsnpvm)
        let differing = ReportClaims.make(report).filter { name, value in
            name.hasPrefix("x-ms-sevsnpvm-") && !name.hasSuffix("-svn") && claimed[name].map { $0 != value } ?? false
        }.map(\.key)
        return Check(
            BundleCode.token.rawValue, differing.isEmpty,
            differing.isEmpty ? "the token repeats the report" : "the token is about another report: \(differing.joined(separator: ", "))")
    }

    /// The time at which the bundle was made.
    func time() throws -> Int64 {
        guard let time = RFC3339.parse(bundle.created) else {
            throw CommandFailure(.refused, "the bundle's time, \(VisibleText.quoted(bundle.created)), is none")
        }
        return time
    }
}
