internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

/// The answer of `evidence verify`. Scripts rely on its form.
struct EvidenceVerdict {
    /// One check of any kind, by its stable code.
    struct Check {
        let code: String
        let ok: Bool
        let detail: String
    }

    let checks: [Check]
    let report: AttestationReport?
    let endorsement: Endorsement?
    let platform: UVMEndorsement?
    let isVerified: Bool

    /// `unreadable` are files that hold no certificate; they make the verdict a rejection, since the caller meant them to count.
    init(result: VerificationResult, platform: UVMVerificationResult?, unreadable: [String]) {
        var checks = unreadable.map { Check(code: "certificate-malformed", ok: false, detail: $0) }
        checks += result.checks.map { Check(code: $0.code.rawValue, ok: $0.ok, detail: $0.detail) }
        checks += (platform?.checks ?? []).map { Check(code: $0.code.rawValue, ok: $0.ok, detail: $0.detail) }
        self.checks = checks
        report = result.report
        endorsement = result.endorsement
        self.platform = platform?.endorsement
        isVerified = result.isVerified && unreadable.isEmpty && platform?.isVerified != false
    }

    var failures: [String] {
        var seen: Set<String> = []
        return checks.filter { !$0.ok && seen.insert($0.code).inserted }.map(\.code)
    }

    var json: JSONValue {
        [
            "verdict": .string(isVerified ? "verified" : "rejected"), "failures": .array(failures.map { .string($0) }),
            "checks": .array(checks.map { ["code": .string($0.code), "ok": .boolean($0.ok), "detail": .string($0.detail)] }),
            "report": report.map { ReportJSON.value($0, product: endorsement?.product) } ?? .null,
            "endorsement": endorsement.map(Self.json) ?? .null, "uvm_endorsement": platform.map(Self.json) ?? .null,
        ]
    }

    func print(_ style: Style) {
        for check in checks {
            let mark = check.ok ? style.good("ok      ") : style.bad("FAILED  ")
            let code = check.code + String(repeating: " ", count: max(1, 32 - check.code.utf8.count))
            Console.line("\(mark)\(code)\(check.ok ? style.faint(check.detail) : check.detail)")
        }
        if isVerified, let endorsement {
            Console.line(
                style.good("verified") + ": \(endorsement.product.rawValue), signed with a \(endorsement.kind.rawValue) under "
                    + (endorsement.pinnedRoot ?? "a pinned root"))
        } else {
            Console.line(style.bad("rejected") + ": \(failures.joined(separator: ", "))")
        }
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
