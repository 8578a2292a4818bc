internal import Issuing
internal import JOSE
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

/// Microsoft Azure Attestation for SEV-SNP (AttestationService.md, "Overview"). It verifies for real: a token says nothing that the report
/// does not prove.
struct AttestationService: SimulatedService {
    static let apiVersions: Set<String> = [
        "2020-10-01", "2022-08-01", "2022-09-01-preview", "2023-04-01-preview", "2025-06-01", "2026-03-11-preview",
    ]
    /// The day of the newest one above.
    private static let newestVersion = "2026-03-11"
    private static let types = ["sevsnpvm", "sgxenclave", "openenclave", "tdxvm", "tpm", "azureguest"]

    let instances: AttestationInstances
    let roots: [PinnedRoot]
    let accessTokens: AccessTokenIssuer
    let configuration: SimulatorConfiguration
    private let chains = ParsedChains()
    private let signatures = VerifiedSignatures()

    init(instances: AttestationInstances, roots: [PinnedRoot], accessTokens: AccessTokenIssuer, configuration: SimulatorConfiguration) {
        self.instances = instances
        self.roots = roots
        self.accessTokens = accessTokens
        self.configuration = configuration
    }

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        switch (request.method, request.segments.map { $0.lowercased() }) {
        case ("POST", let path) where path.count == 2 && path[0] == "attest": .maaAttest
        case ("GET", ["certs"]): .maaCertificates
        case ("GET", [".well-known", "openid-configuration"]): .maaMetadata
        case (_, let path) where path.count == 2 && path[0] == "policies": .maaPolicy
        default: .other
        }
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        do throws(AttestationRefusal) {
            let instance: AttestationInstance
            do { instance = try await instances.instance(for: request.host) } catch {
                throw AttestationRefusal(503, "ServiceUnavailable", error.description)
            }
            switch route(of: request) {
            case .maaAttest: return try attest(request, instance)
            case .maaCertificates:
                return SimulatorResponse(200, headers: [("Content-Type", "application/jwk+json")], body: instance.keySet.serialized())
            case .maaMetadata: return metadata(request)
            case .maaPolicy: return try policy(request, instance)
            default: throw try unsimulated(request)
            }
        } catch { return SimulatorResponse(error: error.status, code: error.code, message: error.message) }
    }

    // MARK: Attest

    private func attest(_ request: SimulatorRequest, _ instance: AttestationInstance) throws(AttestationRefusal) -> SimulatorResponse {
        let type = request.segments[1]
        guard type.lowercased() == "sevsnpvm" else {
            guard Self.types.contains(type.lowercased()) else { throw .notFound }
            throw AttestationRefusal(UnsimulatedOperation("attestation of \(type)", instead: "send evidence of type SevSnpVm"))
        }
        if configuration.attestationRequiresBearer { try authorize(request) }
        try checkVersion(request)
        let attested = try SevSnpVmRequest(body: request.body, chains: chains)
        let now = configuration.clock()
        let (report, product) = try verify(attested, now: now)
        if let draft = attested.draftPolicy { try AttestationPolicy.check(draft: draft) }
        var claims = AttestationClaims.make(
            report, product: product, request: attested, issuer: request.origin,
            policyHash: AttestationPolicy.hash(attested.draftPolicy ?? AttestationPolicy.standard), now: now,
            life: configuration.attestationTokenLife)
        if let status = try compliance(attested, report, now: now) { claims.set("x-ms-compliance-status", .string(status)) }
        let token: String
        if attested.draftPolicy != nil {
            // A token for a draft cannot be validated, which is the point.
            token = JWSBuilder.unsecured(header: ["typ": "JWT"], payload: JSONValue.object(claims).serialized(sortedKeys: true))
        } else {
            token = try sign(claims, instance, request.origin)
        }
        return SimulatorResponse(json: ["token": .string(token)])
    }

    /// Report, chain and the two hashes. What the guest's policy allows is reported, not judged: that is the release policy's business.
    private func verify(_ request: SevSnpVmRequest, now: Int64) throws(AttestationRefusal) -> (AttestationReport, ProcessorProduct) {
        var policy = EvidenceVerifier.Policy(time: now)
        policy.allowDebug = true
        policy.allowMigration = true
        policy.roots = roots
        // The service goes on where a new version comes up.
        policy.takesUnknownVersions = true
        let result = EvidenceVerifier(signatures: signatures).verify(
            report: request.report, certificates: request.certificates, policy: policy)
        guard result.isAcceptable, let report = result.report, let endorsement = result.endorsement else {
            let complaint = result.checks.first { !$0.ok }.map { "\($0.code): \($0.detail)" }
            throw AttestationRefusal("The SEV-SNP evidence cannot be verified: \(complaint ?? "no complete certificate chain").")
        }
        if let data = request.runtimeData {
            guard DigestAlgorithm.sha256.digest(data.bytes).elementsEqual(report.reportData.prefix(32)) else {
                throw AttestationRefusal("The hash of the runtime data is not in the report data of the evidence.")
            }
        }
        if let data = request.initTimeData {
            guard DigestAlgorithm.sha256.digest(data.bytes).elementsEqual(report.hostData) else {
                throw AttestationRefusal("The hash of the init-time data is not the host data of the evidence.")
            }
        }
        return (report, endorsement.product)
    }

    /// `x-ms-compliance-status`; `nil` where no endorsement of the utility VM was given. One that does not hold is an error, not a missing
    /// claim.
    private func compliance(_ request: SevSnpVmRequest, _ report: AttestationReport, now: Int64) throws(AttestationRefusal) -> String? {
        var policy = UVMEndorsementVerifier.Policy()
        policy.trustedIssuers += configuration.trustedPlatformIssuers
        policy.expectedMeasurement = report.measurement
        policy.time = now
        var status: String?
        for document in request.platformEndorsements {
            let result = UVMEndorsementVerifier().verify(document, policy: policy)
            guard result.isVerified, let endorsement = result.endorsement else {
                let complaint = result.checks.first { !$0.ok }.map { "\($0.code): \($0.detail)" }
                throw AttestationRefusal("The UVM endorsement cannot be verified: \(complaint ?? "it is not complete").")
            }
            status = endorsement.feed == TrustedIssuer.confidentialAKS.feed ? "azure-signed-katacc-uvm" : "azure-compliant-uvm"
        }
        return status
    }

    // MARK: Documents

    private func metadata(_ request: SimulatorRequest) -> SimulatorResponse {
        let origin = request.origin
        return SimulatorResponse(json: [
            "issuer": .string(origin), "jwks_uri": .string(origin + "/certs"), "response_types_supported": ["token", "none"],
            "id_token_signing_alg_values_supported": ["RS256"], "revocation_endpoint": .string(origin + "/revoke"),
            "claims_supported": [
                "is-debuggable", "sgx-mrsigner", "sgx-mrenclave", "product-id", "svn", "tee", "device_id", "component_0_id",
                "expected_components",
            ],
        ])
    }

    private func policy(_ request: SimulatorRequest, _ instance: AttestationInstance) throws(AttestationRefusal) -> SimulatorResponse {
        try checkVersion(request)
        try authorize(request)
        let name = request.segments[1].lowercased().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard Self.types.contains(String(name[0])), name.count == 1 || name[1] == "reset" else {
            throw AttestationRefusal(404, "NotFound", "There is no such attestation type.")
        }
        guard request.method == "GET", name.count == 1 else {
            throw AttestationRefusal(
                UnsimulatedOperation(
                    name.count == 1 ? "change of an attestation policy" : "reset of an attestation policy",
                    instead: "try a draft with draftPolicyForAttestation; the policy of the simulators is that of the shared providers"))
        }
        let document: JSONValue = ["AttestationPolicy": .string(Base64.encodeURL(Array(AttestationPolicy.standard.utf8)))]
        let now = configuration.clock()
        let claims: JSONObject = [
            "iss": .string(request.origin), "iat": .integer(now), "nbf": .integer(now),
            "exp": .integer(now + configuration.attestationTokenLife), "jti": .string(SecureRandom.hex(32)), "x-ms-ver": "1.0",
            "x-ms-policy": .string(JWSBuilder.unsecured(payload: document.serialized())),
        ]
        return SimulatorResponse(json: ["token": .string(try sign(claims, instance, request.origin))])
    }

    /// What the service has besides, for callers that it would let in.
    private func unsimulated(_ request: SimulatorRequest) throws(AttestationRefusal) -> AttestationRefusal {
        let names = ["certificates": "policy management certificates", "tcbbaselines": "TCB baselines", "revoke": "revocation"]
        guard let first = request.segments.first?.lowercased().prefix(while: { $0 != ":" }), let name = names[String(first)] else {
            return .notFound
        }
        try checkVersion(request)
        try authorize(request)
        return AttestationRefusal(UnsimulatedOperation(name, instead: "the simulated providers work as Azure's shared ones, without it"))
    }

    // MARK: Common

    private func sign(_ claims: JSONObject, _ instance: AttestationInstance, _ origin: String) throws(AttestationRefusal) -> String {
        do { return try instance.token(claims, origin: origin) } catch {
            throw AttestationRefusal(500, "InternalError", "The token cannot be signed.")
        }
    }

    private func checkVersion(_ request: SimulatorRequest) throws(AttestationRefusal) {
        let version = request.queryValue("api-version") ?? ""
        if Self.apiVersions.contains(version) { return }
        guard DatedVersion.isDated(version, from: Self.newestVersion) else {
            throw AttestationRefusal("The api-version is missing or not supported.")
        }
        configuration.logger.notice(
            "this api-version is newer than the simulators; it is answered as the newest that they know: \(version)")
    }

    private func authorize(_ request: SimulatorRequest) throws(AttestationRefusal) {
        let suffix = KnownHosts.attestationSuffixes.first { request.host.hasSuffix("." + $0) } ?? "attest.azure.net"
        guard let bearer = request.bearer,
            (try? accessTokens.check(bearer, audience: "https://\(suffix)", now: configuration.clock())) != nil
        else { throw AttestationRefusal(401, "Unauthorized", "A valid bearer token is required.") }
    }
}
