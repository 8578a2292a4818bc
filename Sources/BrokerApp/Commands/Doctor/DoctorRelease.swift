internal import AttestationTokens
internal import AzureKeyRelease
internal import AzureServices
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import ReleasePolicy
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

/// The upper part of the chain, tried for real: a token, the key's policy, a release.
struct DoctorRelease {
    private let examination: DoctorExamination
    private let composition: Composition
    private var engine: BrokerEngine { composition.engine }

    init(_ examination: DoctorExamination, _ composition: Composition) {
        self.examination = examination
        self.composition = composition
    }

    /// Whose claims policies are judged with.
    private struct Subject {
        var claims: JSONObject
        var issuer: String
        var unknowable: [String] = []
    }

    private enum Token { case given, refused, notAsked }

    func rows() async throws -> [DoctorRow] {
        var rows: [DoctorRow] = []
        var subject: Subject?
        var token = Token.notAsked
        var isJudged = false
        if examination.network, composition.authority != nil {
            do {
                let given = try await DoctorProgress.during("asking the verifier for a token") { () async throws(BrokerError) in
                    try await engine.token(for: RuntimeData([]), from: nil, in: context())
                }
                subject = Subject(claims: given.content.claims, issuer: given.content.issuer)
                token = .given
                rows.append(DoctorRow(.verifier, Finding(.ok, "token", Self.words(given.content.claims, given.content.issuer))))
            } catch {
                rows.append(DoctorRow(.verifier, tokenFinding(error), needs: [.machine, .device, .endorsements, .verifier]))
                token = .refused
                isJudged = error.details?.cause.hasPrefix("evidence-") == true
            }
        }
        // A refusal of the gate has said it already.
        if !isJudged, engine.hasJudges, let finding = await verdict() {
            rows.append(DoctorRow(.verifier, finding, needs: [.device, .endorsements]))
        }
        if subject == nil, examination.policy != nil || examination.key != nil {
            do throws(BrokerError) { subject = try await reportSubject() } catch {
                rows.append(DoctorRow(.policy, Finding("policy", error), needs: [.device]))
            }
        }
        if let policy = examination.policy, let subject { rows.append(DoctorRow(.policy, try fileFinding(policy, subject), needs: [])) }
        guard examination.network else { return rows }
        guard let key = examination.key else { return rows + [Self.untested("no key was named", next: "--key NAME releases it once")] }
        return rows + (try await keyRows(key, token, subject))
    }

    private func context() -> RequestContext { engine.makeContext(id: "doctor") }

    /// What the broker itself thinks of its evidence, and which floor the host misses.
    private func verdict() async -> Finding? {
        do throws(BrokerError) {
            let judgement = try await engine.verdict(for: RuntimeData([]), in: context())
            if let refusal = judgement.refusal(by: "local") { return Finding("verdict", refusal) }
            let limits = judgement.leftOut.map(\.code).joined(separator: ", ")
            return limits.isEmpty
                ? Finding(.ok, "verdict", "verified: every rule of the local verifier holds")
                : Finding(.warning, "verdict", "limited: the local verifier's rules hold without \(limits)")
        } catch { return error.code == .noProvider ? nil : Finding("verdict", error) }
    }

    private func tokenFinding(_ error: BrokerError) -> Finding {
        guard error.code == .verificationRejected, engine.provenance == .fixture else { return Finding("token", error) }
        return Finding(
            "token", error, next: "fixture evidence convinces simulators alone: 'simulate' runs one; on a real machine evidence.use is snp")
    }

    /// What this machine's report says, without anybody's word for it.
    private func reportSubject() async throws(BrokerError) -> Subject? {
        let evidence = try await engine.rawEvidence(for: RuntimeData([]), in: context())
        guard let report = try? AttestationReport(evidence.report) else { return nil }
        let issuer = composition.authority.map { $0.origin } ?? ""
        var claims = ReportClaims.make(report)
        claims.set("iss", .string(issuer))
        return Subject(claims: claims, issuer: issuer, unknowable: ReportClaims.unknowable)
    }

    // MARK: A key

    private func keyRows(_ name: String, _ token: Token, _ subject: Subject?) async throws -> [DoctorRow] {
        let argument = try KeyArgument(name)
        let keyName = argument.name
        let endpoint = try examination.store.endpoint(composition, named: argument.store)
        guard !(composition.host.accessTokens is NoIdentity) else {
            return [Self.untested("the broker has no identity of its own", next: "'key release' and callers bring an access token")]
        }
        let manager = try KeyManager(store: endpoint, composition.host)
        let read: Result<KeyDescription, BrokerError>
        do throws(BrokerError) { read = .success(try await manager.key(keyName, in: context())) } catch { read = .failure(error) }
        var rows: [DoctorRow] = []
        if case .success(let description) = read {
            guard description.isReleasable, let policy = description.policy else {
                let words = "\(description.keyID) is \(KeyTerms(description).verdict)"
                return [
                    DoctorRow(
                        .store, Finding(.problem, "key", words, cause: "not-releasable", next: "'key show \(keyName)' shows its terms"))
                ]
            }
            rows.append(DoctorRow(.store, Finding(.ok, "key", "\(description.keyID) can be read")))
            if let subject { rows.append(DoctorRow(.policy, judged(policy, subject, description.keyID), needs: [])) }
        }
        let release = await releaseRow(ReleaseRequest(key: keyName, store: endpoint), token)
        if case .failure(let error) = read { rows.append(Self.unread(error, isReleased: release.finding.verdict == .ok)) }
        return rows + [release]
    }

    /// A key that cannot be read may be released all the same; only its policy cannot be shown then.
    private static func unread(_ error: BrokerError, isReleased: Bool) -> DoctorRow {
        let isForbidden = error.details?.cause == "read-permission-missing"
        let finding = Finding("key", error)
        guard isReleased || isForbidden else { return DoctorRow(.store, finding) }
        return DoctorRow(
            .store,
            Finding(
                .warning, "key", "its policy cannot be looked at, which a release does not need: \(error.message)",
                cause: finding.cause, others: finding.nextSteps))
    }

    private func releaseRow(_ request: ReleaseRequest, _ token: Token) async -> DoctorRow {
        switch token {
        case .notAsked: return Self.untested("there is no default authority", next: "set verifier.maa.endpoint")
        case .refused:
            let finding = Finding(
                .problem, "release", "could not be tested: there is no attestation token to release \(request.key) to",
                cause: DoctorReport.untested)
            return DoctorRow(.policy, finding)
        case .given: break
        }
        do {
            let keyID = try await DoctorProgress.during("trying to release \(request.key)") { () async throws(BrokerError) in
                // The key itself is wiped here.
                try await engine.release(request, in: context()).keyID
            }
            return DoctorRow(.policy, Finding(.ok, "release", "\(keyID) was released to this machine, opened and forgotten"))
        } catch {
            let isAboutPolicy = ["policy-not-satisfied", "token-not-verified"].contains(error.details?.cause)
            let link: ReleaseLink =
                switch error.stage {
                case .identity: .identity
                case .startup, .decode, .caller, .route, .evidence, .endorsement, .verify: .verifier
                case .release, .unwrap, .audit: isAboutPolicy ? .policy : .store
                }
            return DoctorRow(link, Finding("release", error))
        }
    }

    private static func untested(_ reason: String, next: String) -> DoctorRow {
        DoctorRow(
            .policy,
            Finding(
                .warning, "release", "could not be tested, the permission to release neither: \(reason)", cause: DoctorReport.untested,
                next: next))
    }

    // MARK: Policies

    private func fileFinding(_ file: String, _ subject: Subject) throws -> Finding {
        do { return judged(try ReleasePolicy(json: PolicyFile.document(file).text), subject, file) } catch let error as CommandFailure {
            throw error
        } catch {
            return Finding(.problem, "policy", "\(file) is no release policy: \(error)", next: "'policy lint' names every fault")
        }
    }

    private func judged(_ policy: ReleasePolicy, _ subject: Subject, _ name: String) -> Finding {
        let explanation = ReleaseExplanation(
            policy.evaluate(claims: subject.claims, issuer: subject.issuer), claims: subject.claims, unknowableClaims: subject.unknowable)
        switch explanation.verdict {
        case "satisfied": return Finding(.ok, "policy", "\(name): \(explanation.summary)")
        case "undecided":
            return Finding(.warning, "policy", "\(name): \(explanation.summary)", next: wordStep)
        default:
            let steps = (explanation.smallestChange?.steps ?? []).compactMap { $0.deployment ?? $0.policy }
            return Finding(
                .problem, "policy", "\(name): \(explanation.summary)", cause: "policy-not-satisfied",
                others: steps.isEmpty ? ["'policy explain' shows the whole tree"] : steps)
        }
    }

    private var wordStep: String {
        examination.network ? "it takes the authority's token to know" : "run without --offline for the authority's word"
    }

    private static func words(_ claims: JSONObject, _ issuer: String) -> String {
        guard case .string(let status)? = claims["x-ms-compliance-status"] else {
            return "\(issuer) gave a token, which verifies; it has no x-ms-compliance-status"
        }
        let shown = String(decoding: JSONValue.string(String(status.prefix(80))).serialized(), as: UTF8.self)
        return "\(issuer) gave a token, which verifies; x-ms-compliance-status is \(shown)"
    }
}
