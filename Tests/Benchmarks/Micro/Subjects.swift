import Issuing
import BrokerCore
import BrokerEngine
import BrokerTestKit
import FixtureEvidence
import Glibc
import HTTPTransport
import JOSE
import Logging
import MAAVerifier
import ManagedHSM
import OpenSSLCrypto
import ReleasePolicy
import SNPFixture
import SNPReport
import SNPVerification
import SecureMemory
import StrictJSON

/// What is measured, made once.
struct Subjects {
    let privateKey: PrivateKey
    let report: [UInt8]
    let chain: [Certificate]
    let verification: EvidenceVerifier.Policy
    let token: String
    let claims: JSONObject
    let policy: ReleasePolicy
    let keys: [SampleKey]

    private let authorityKeys: ScriptedAuthorityKeys
    private let evidence: any EvidenceProvider
    private let signers: ScriptedKeyStore.Signers

    /// Debian's certificate authorities, where they are installed.
    static var systemBundle: String? {
        let path = "/etc/ssl/certs/ca-certificates.crt"
        return access(path, R_OK) == 0 ? path : nil
    }

    static let authority = "sharedeus2.eus2.attest.azure.net"
    static let store = "contoso.managedhsm.azure.net"

    init() throws {
        privateKey = try PrivateKey.generateRSA(bits: 2048)
        let now = SystemClock().now()
        let chip = try FixtureChip(authority: try FixtureAuthority.generate(product: .milan, now: now), now: now)
        var builder = ReportBuilder()
        builder.reportData = ReportData(sha256Of: [1, 2, 3]).bytes
        report = try chip.sign(builder)
        chain = chip.chain
        var verification = EvidenceVerifier.Policy(time: now)
        verification.roots = [PinnedRoot(name: "benchmark", product: .milan, certificate: chip.chain[2])]
        self.verification = verification
        claims = [
            "iss": .string("https://\(Self.authority)"), "exp": .integer(now + 3600), "iat": .integer(now),
            "x-ms-attestation-type": "sevsnpvm", "x-ms-compliance-status": "azure-compliant-uvm",
            "x-ms-sevsnpvm-is-debuggable": .boolean(false), "x-ms-sevsnpvm-hostdata": .string(String(repeating: "5a", count: 32)),
        ]
        token = try JWSBuilder.sign(
            header: ["alg": "RS256", "kid": "benchmark", "typ": "JWT"], payload: JSONValue.object(claims).serialized(), key: privateKey,
            algorithm: .rs256)
        let conditions: [JSONValue] = [
            ["claim": "x-ms-attestation-type", "equals": "sevsnpvm"], ["claim": "x-ms-compliance-status", "equals": "azure-compliant-uvm"],
            ["claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"],
            ["claim": "x-ms-sevsnpvm-hostdata", "equals": .string(String(repeating: "5a", count: 32))],
        ]
        let document: JSONValue = [
            "version": "1.0.0", "anyOf": [["authority": .string("https://\(Self.authority)"), "allOf": .array(conditions)]],
        ]
        policy = try ReleasePolicy(json: document.serialized())
        signers = try ScriptedKeyStore.Signers(host: Self.store)
        keys = signers.keys
        authorityKeys = try ScriptedAuthorityKeys()
        evidence = try fixtureEvidence.makeForTest(host: .forTest(transport: ScriptedTransport(script: [])))
    }

    /// Returns when the fixture's machine is there: it is made by a thread of its own, whose work would count as what is measured first.
    func awaitMachine() async throws {
        let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
        let engine = try engine(session: nil, pool: WrappingKeyPool(capacity: 0, logger: quiet))
        _ = try await engine.rawEvidence(binding: ReportData(sha256Of: []), in: engine.makeContext(id: "benchmark"))
    }

    /// The providers that ship, in front of scripted services that sign and wrap.
    func engine(session: ReleaseSessionOptions?, pool: WrappingKeyPool) throws -> BrokerEngine {
        let authority = try ScriptedAuthority(endpoint: try Endpoint(Self.authority), keys: authorityKeys)
        let store = ScriptedKeyStore(endpoint: try Endpoint(Self.store), signers: signers, manner: .managedHSM)
        return BrokerEngine(
            evidence: NamedProvider("fixture", evidence),
            verifier: NamedProvider(
                "maa", try maaVerifier.makeForTest(["endpoint": .string(Self.authority)], host: .forTest(transport: authority))),
            keyStores: [
                NamedProvider(
                    "mhsm",
                    try managedHSM.makeForTest(
                        ["endpoint": .string(Self.store)], host: .forTest(transport: store, trust: signers.chain.trust)))
            ], wrappingKeys: pool, options: .init(requestTimeout: .seconds(600), releaseLimit: 64, releaseQueue: 256, session: session),
            clock: ManualClock(),
            logger: Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() })
    }
}
