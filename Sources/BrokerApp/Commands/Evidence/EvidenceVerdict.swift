internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

/// The answer of `evidence verify`. Scripts rely on its form.
struct EvidenceVerdict {
    let verdict: Verdict
    let checks: [Check]
    /// What a limited verdict is limited by.
    let leftOut: [Omission]
    let notChecked: [Omission]
    let report: AttestationReport?
    let endorsement: Endorsement?
    let platform: UVMEndorsement?
    /// Further members of the JSON.
    let statements: [(String, JSONValue)]

    /// `unreadable` are files that hold no certificate; they make the verdict a rejection, since the caller meant them to count.
    /// `also` are further checks, all of which have to hold.
    init(
        result: VerificationResult, platform: UVMVerificationResult?, statements: StatementOptions.Outcome, unreadable: [String],
        also: [Check] = [],
        notChecked others: [Omission] = []
    ) {
        checks =
            also + unreadable.map { Check("certificate-malformed", false, $0) } + result.checks
            + (platform?.checks ?? [])
            + statements.checks
        self.statements = statements.members
        leftOut = result.leftOut
        notChecked =
            result.notChecked + others
            + (platform == nil ? [Omission("uvm-endorsement", "who endorses the measurement: no endorsement was given")] : [])
        report = result.report
        endorsement = result.endorsement
        self.platform = platform?.endorsement
        verdict =
            unreadable.isEmpty && (also + statements.checks).allSatisfy(\.ok) && platform?.isVerified != false ? result.verdict : .rejected
    }

    /// How the command ends; `nil` for a verified one.
    var failure: CommandFailure? {
        let failed = checks.failures.joined(separator: ", ")
        return switch verdict {
        case .verified: nil
        case .limited: CommandFailure(.limited, "the evidence holds, but for what was left out: \(codes(leftOut))")
        case .rejected: CommandFailure(.refused, "the evidence is rejected: \(failed)")
        case .unsupported:
            CommandFailure(
                .impossible, "the evidence cannot be judged: \(failed)",
                nextStep: "a product file (--products) may name what this program does not know")
        }
    }

    var json: JSONValue {
        var members = checks.json(verdict: verdict.rawValue)
        members.set("left_out", Self.json(leftOut))
        members.set("not_checked", Self.json(notChecked))
        members.set("report", report.map { ReportJSON.value($0, product: endorsement?.product) } ?? .null)
        members.set("endorsement", endorsement.map(Self.json) ?? .null)
        members.set("uvm_endorsement", platform.map(Self.json) ?? .null)
        for (name, value) in statements { members.set(name, value) }
        return .object(members)
    }

    func print(_ style: Style) {
        Console.list(checks, width: 48, style, holding: CheckWords.holding)
        for omission in leftOut { Console.line("left out: \(omission.code): \(omission.detail)") }
        Console.line(style.faint("not checked: " + codes(notChecked)))
        Console.line((verdict == .verified ? style.good(verdict.rawValue) : style.bad(verdict.rawValue)) + ": " + summary)
    }

    /// What the verdict is about, in a line.
    var summary: String {
        switch verdict {
        case .verified, .limited:
            let words =
                endorsement.map { "\($0.product), signed with a \($0.kind.rawValue) under \($0.pinnedRoot ?? "a pinned root")" } ?? ""
            return verdict == .verified ? words : words + ", without " + codes(leftOut)
        case .rejected, .unsupported: return checks.failures.joined(separator: ", ")
        }
    }

    private func codes(_ omissions: [Omission]) -> String { omissions.map(\.code).joined(separator: ", ") }

    private static func json(_ omissions: [Omission]) -> JSONValue {
        .array(omissions.map { ["code": .string($0.code), "detail": .string($0.detail)] })
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
