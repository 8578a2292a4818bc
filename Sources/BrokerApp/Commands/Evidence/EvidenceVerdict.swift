internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

/// The answer of `evidence verify`. Scripts rely on its form.
struct EvidenceVerdict {
    let checks: [Check]
    let report: AttestationReport?
    let endorsement: Endorsement?
    let platform: UVMEndorsement?
    /// Further members of the JSON.
    let statements: [(String, JSONValue)]
    let isVerified: Bool

    /// `unreadable` are files that hold no certificate; they make the verdict a rejection, since the caller meant them to count.
    init(result: VerificationResult, platform: UVMVerificationResult?, statements: StatementOptions.Outcome, unreadable: [String]) {
        checks =
            unreadable.map { Check("certificate-malformed", false, $0) } + result.checks + (platform?.checks ?? []) + statements.checks
        self.statements = statements.members
        report = result.report
        endorsement = result.endorsement
        self.platform = platform?.endorsement
        isVerified = result.isVerified && unreadable.isEmpty && platform?.isVerified != false && statements.checks.allSatisfy(\.ok)
    }

    var json: JSONValue {
        var members = checks.json(isVerified: isVerified)
        members.set("report", report.map { ReportJSON.value($0, product: endorsement?.product) } ?? .null)
        members.set("endorsement", endorsement.map(Self.json) ?? .null)
        members.set("uvm_endorsement", platform.map(Self.json) ?? .null)
        for (name, value) in statements { members.set(name, value) }
        return .object(members)
    }

    func print(_ style: Style) {
        let words = endorsement.map {
            "\($0.product.rawValue), signed with a \($0.kind.rawValue) under \($0.pinnedRoot ?? "a pinned root")"
        }
        Console.show(checks, width: 48, verified: isVerified ? words : nil, style, holding: CheckWords.holding)
    }

    private static func json(_ endorsement: Endorsement) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("product", .string(endorsement.product.rawValue)), ("kind", .string(endorsement.kind.rawValue)),
            ("pinned_root", endorsement.pinnedRoot.map { .string($0) } ?? .null), ("leaf", certificate(endorsement.leaf)),
            ("intermediate", certificate(endorsement.intermediate)), ("root", certificate(endorsement.root)),
        ]
        if let extensions = endorsement.extensions {
            members.append(("product_name", extensions.productName.map { .string($0) } ?? .null))
            members.append(("hwid", extensions.hardwareID.map { .string(Hex.encode($0)) } ?? .null))
            if let provider = extensions.providerID { members.append(("csp_id", .string(provider))) }
        }
        return .object(JSONObject(members))
    }

    private static func json(_ platform: UVMEndorsement) -> JSONValue {
        [
            "issuer": .string(platform.issuer), "feed": .string(platform.feed), "svn": .string(String(platform.svn)),
            "launch_measurement": .string(Hex.encode(platform.launchMeasurement)),
            "signing_time": platform.signingTime.map { .string(RFC3339.format($0)) } ?? .null,
        ]
    }

    private static func certificate(_ certificate: Certificate) -> JSONValue {
        [
            "subject": .string(certificate.subject), "issuer": .string(certificate.issuer),
            "not_before": .string(RFC3339.format(certificate.notBefore)), "not_after": .string(RFC3339.format(certificate.notAfter)),
            "sha256": .string(Hex.encode(certificate.sha256)),
        ]
    }
}
