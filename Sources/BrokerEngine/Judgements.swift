internal import AttestationTokens
package import BrokerCore
internal import HTTPTransport
internal import Logging
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import Synchronization

/// Whose word counts where several verifiers are in use.
package enum VerifierRule: Sendable, Equatable {
    /// Every one must accept the evidence.
    case all
    /// One is enough. A key store wants a token, so the one that issues it has to be among them.
    case any
    /// The first one's, beside that of the one that issues the token; `judges` says whether the first one is a judge.
    case primary(judges: Bool)
}

/// The verifiers that judge by themselves, and how often they and the one that issues tokens did not agree.
final class Judges: Sendable {
    typealias Outcome = (name: String, result: Result<Judgement, BrokerError>)

    let providers: [NamedProvider<any EvidenceJudge>]
    let rule: VerifierRule
    private let disagreements = Atomic<Int>(0)

    init(_ providers: [NamedProvider<any EvidenceJudge>], rule: VerifierRule) {
        self.providers = providers
        self.rule = rule
    }

    var disagreementCount: Int { disagreements.load(ordering: .relaxed) }

    /// Throws where the rule says that the evidence is refused, whoever issued a token for it; tells the log who differs, and in what.
    func settle(
        _ outcomes: [Outcome], issuer: String, _ issued: Result<AttestationToken, BrokerError>, report: AttestationReport,
        in context: RequestContext
    ) throws(BrokerError) {
        var refusals: [BrokerError] = []
        for (name, result) in outcomes {
            switch result {
            case .failure(let error): refusals.append(error)
            case .success(let judgement):
                if judgement.verdict == .limited {
                    let limits = judgement.leftOut.map { "\($0.code): \($0.detail)" }.joined(separator: "; ")
                    context.logger.notice("evidence accepted with limits", metadata: ["verifier": "\(name)", "without": "\(limits)"])
                }
                let refusal = judgement.refusal(by: name)
                if let refusal { refusals.append(refusal) }
                switch (issued, refusal) {
                case (.success(let token), .some):
                    tell(
                        "\(issuer) accepts what \(name) refuses", judgement.checks.complaint,
                        claims: Self.claims(of: judgement.checks.failures, in: token), in: context)
                case (.failure(let error), nil) where error.code == .verificationRejected:
                    tell("\(name) accepts what \(issuer) refuses", error.message, claims: [], in: context)
                default: break
                }
            }
        }
        if case .success(let token) = issued, !outcomes.isEmpty { try compare(token, with: report, issuer: issuer, in: context) }
        switch rule {
        case .all: if let refusal = refusals.first, (try? issued.get()) != nil { throw refusal }
        case .primary(judges: true): if let refusal = refusals.first { throw refusal }
        case .primary(judges: false), .any: break
        }
    }

    /// A token that repeats a field of the report must repeat the one that was sent: anything else is a token for another report.
    private func compare(_ token: AttestationToken, with report: AttestationReport, issuer: String, in context: RequestContext)
        throws(BrokerError)
    {
        let claimed = token.content.hardwareClaims(.sevsnpvm)
        let own = ReportClaims.make(report)
        // Which of the report's TCBs the levels are of is not confirmed.
        let differing = own.filter { name, value in
            !name.hasSuffix("-svn") && name.hasPrefix("x-ms-sevsnpvm-") && claimed[name].map { $0 != value } ?? false
        }.map(\.key)
        guard !differing.isEmpty else { return }
        tell("the token of \(issuer) is about another report than was sent", "", claims: differing, in: context)
        throw BrokerError(
            .upstreamInvalid, at: .verify,
            "the token of \(token.authority) is about another report than was sent: \(differing.joined(separator: ", "))")
    }

    private func tell(_ what: String, _ why: String, claims: [String], in context: RequestContext) {
        let count = disagreements.add(1, ordering: .relaxed).newValue
        context.logger.error(
            "verifiers disagree: \(what)",
            metadata: [
                "request": "\(context.id)", "why": "\(why)", "claims": "\(claims.joined(separator: ", "))", "count": "\(count)",
            ])
    }

    /// The claims of the token that speak of what a judge found wrong, with what it says there.
    private static func claims(of failures: [String], in token: AttestationToken) -> [String] {
        let claimed = token.content.hardwareClaims(.sevsnpvm)
        return failures.flatMap { subjects[$0] ?? [] }.map { name in
            let claim = "x-ms-sevsnpvm-" + name
            return claim + "=" + (claimed[claim].map { VisibleText.line(String(decoding: $0.serialized(), as: UTF8.self)) } ?? "(none)")
        }
    }

    private static let subjects: [String: [String]] = [
        "tcb-below-minimum": ["bootloader-svn", "tee-svn", "snpfw-svn", "microcode-svn"], "measurement-mismatch": ["launchmeasurement"],
        "host-data-mismatch": ["hostdata"], "report-data-mismatch": ["reportdata"], "vmpl-mismatch": ["vmpl"], "vmpl-host": ["vmpl"],
        "debug-allowed": ["is-debuggable"], "migration-allowed": ["migration-allowed"], "id-key-digest-mismatch": ["idkeydigest"],
        "author-key-digest-mismatch": ["authorkeydigest"],
    ]
}

extension BrokerEngine {
    /// How often verifiers did not agree since the start.
    package var disagreementCount: Int { judges.disagreementCount }

    /// Whether a verifier in use judges by itself.
    package var hasJudges: Bool { !judges.providers.isEmpty }

    /// What the broker itself thinks of its evidence, by the first verifier that judges.
    package func verdict(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement {
        try await recorded(.attestVerdict, in: context, beginningAt: .evidence) { [self] () async throws(BrokerError) in
            try callers.admit(context.recorder.record)
            guard let judge = judges.providers.first else {
                throw BrokerError(.noProvider, at: .route, "no verifier in use judges evidence itself; add local to verifier.use")
            }
            let evidence = try await combined(for: runtimeData, in: context).evidence
            return try await asked(at: .verify, in: context) { () async throws(BrokerError) in
                try await judge.provider.judgement(of: evidence, runtimeData: runtimeData, in: context)
            }
        }
    }

    func judgements(of evidence: Evidence, _ runtimeData: RuntimeData, in context: RequestContext) async -> [Judges.Outcome] {
        var outcomes: [Judges.Outcome] = []
        for judge in judges.providers {
            do throws(BrokerError) {
                let judgement = try await asked(at: .verify, in: context) { () async throws(BrokerError) in
                    try await judge.provider.judgement(of: evidence, runtimeData: runtimeData, in: context)
                }
                outcomes.append((judge.name, .success(judgement)))
            } catch { outcomes.append((judge.name, .failure(error))) }
        }
        return outcomes
    }
}
