import Issuing
import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SNPFixture
import SNPReport
import SecureMemory
import StrictJSON
import Testing

/// A confidential guest with a fixture processor: it makes reports, has them attested and asks for keys.
struct Guest {
    /// Making the authority's RSA-4096 keys takes seconds, so all tests share one.
    static let chip: FixtureChip? = {
        guard let authority = try? FixtureAuthority.generate(product: .milan, now: Cloud.now) else { return nil }
        return try? FixtureChip(authority: authority, now: Cloud.now)
    }()

    /// Simulators that trust the fixture's root.
    static func trust(_ configuration: inout SimulatorConfiguration) {
        if let root = chip?.chain.last { configuration.trustedReportRoots = [root.der] }
    }

    let wrappingKeyID = "wrapping-key"
    let runtimeData: [UInt8]
    var builder = ReportBuilder()

    init(_ wrappingKey: borrowing WrappingKey, extraKeys: String = "") {
        self.init(publicNumbers: wrappingKey.publicNumbers, extraKeys: extraKeys)
    }

    init(publicNumbers numbers: RSAPublicNumbers, extraKeys: String = "") {
        runtimeData = Array(
            (#"{"keys":["# + extraKeys + #"{"kty":"RSA","kid":"wrapping-key","key_ops":["encrypt"],"n":"\#(Base64.encodeURL(numbers.n))","#
                + #""e":"\#(Base64.encodeURL(numbers.e))"}]}"#).utf8)
        builder.reportData = DigestAlgorithm.sha256.digest(runtimeData) + [UInt8](repeating: 0, count: 32)
        builder.hostData = [UInt8](repeating: 0x5A, count: 32)
    }

    func report() throws -> [UInt8] { try #require(Self.chip).sign(builder) }

    /// The body of POST /attest/SevSnpVm.
    func attestBody(report: [UInt8]? = nil) throws -> JSONObject {
        let chip = try #require(Self.chip)
        return AttestBody(report: try report ?? self.report(), pem: chip.chain.map(\.pem).joined(), runtimeData: runtimeData).json
    }

    /// A token for this guest.
    func token(_ cloud: Cloud, host: String = Cloud.attestation) async throws -> String {
        let answer = try await cloud.send(.post, host, "/attest/SevSnpVM?api-version=2020-10-01", json: .object(try attestBody()))
        try #require(answer.status == 200, "\(answer.message)")
        return try answer.json.string("token")
    }
}

/// Writes attestation requests in the spellings that clients use.
struct AttestBody {
    var report: [UInt8]
    var pem: String
    var runtimeData: [UInt8]?
    var pads = false
    var prettyBundle = false
    /// COSE_Sign1 documents about the utility VM.
    var platformEndorsements: [[UInt8]] = []

    private func encode(_ bytes: [UInt8]) -> JSONValue {
        let text = Base64.encodeURL(bytes)
        return .string(pads ? text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4) : text)
    }

    var json: JSONObject {
        var bundle: JSONObject = ["SnpReport": encode(report), "VcekCertChain": encode(Array(pem.utf8))]
        if !platformEndorsements.isEmpty {
            let endorsements: JSONValue = ["Uvm": .array(platformEndorsements.map { encode($0) })]
            bundle.set("Endorsements", encode(endorsements.serialized()))
        }
        var text = JSONValue.object(bundle).serialized(pretty: prettyBundle)
        if prettyBundle { text = Array("\n\n  ".utf8) + text + Array("\n".utf8) }
        var body: JSONObject = ["report": encode(text)]
        if let runtimeData { body.set("runtimeData", ["data": encode(runtimeData), "dataType": "JSON"]) }
        return body
    }
}

/// A release policy for the fixture guest.
func releasePolicy(
    _ conditions: [(String, JSONValue)] = [("x-ms-sevsnpvm-is-debuggable", "false")], authority: String = "https://" + Cloud.attestation
) -> JSONObject {
    let clauses = conditions.map { claim, wanted -> JSONValue in ["claim": .string(claim), "equals": wanted] }
    let policy: JSONValue = ["version": "1.0.0", "anyOf": [["authority": .string(authority), "allOf": .array(clauses)]]]
    return ["contentType": "application/json; charset=utf-8", "data": .string(Base64.encodeURL(policy.serialized())), "immutable": false]
}

/// A request that creates an exportable key.
func exportable(_ kty: String, _ policy: JSONObject = releasePolicy(), _ extra: JSONObject = [:]) -> JSONObject {
    var body: JSONObject = ["kty": .string(kty), "attributes": ["exportable": true], "release_policy": .object(policy)]
    for member in extra { body.set(member.key, member.value) }
    return body
}
