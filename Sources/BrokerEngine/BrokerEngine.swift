internal import AttestationTokens
internal import Waiting
package import BrokerCore
internal import JOSE
package import HTTPTransport
package import Logging
internal import OpenSSLCrypto
internal import SNPReport
internal import SecureMemory

/// A provider and the name under which the configuration chose it.
package struct NamedProvider<Provider: Sendable>: Sendable {
    package let name: String
    package let provider: Provider

    package init(_ name: String, _ provider: Provider) {
        self.name = name
        self.provider = provider
    }
}

/// The use cases of the broker: raw and combined evidence, a verifier's token, a released key.
///
/// The engine trusts no provider: it checks again that a report carries the data it was asked to bind, that a token names the wrapping key
/// that was made for this request, and that the released key is the one that was wanted.
package final class BrokerEngine: Sendable {
    /// What applies to every request.
    package struct Options: Sendable {
        /// Longest time that one request may take, whatever its stages do.
        package var requestTimeout: Duration
        /// Most releases at a time.
        package var releaseLimit: Int
        /// Most releases that wait for their turn behind those; the next ones are refused as `overloaded`.
        package var releaseQueue: Int
        /// `nil` makes a wrapping key and a token for each release.
        package var session: ReleaseSessionOptions?
        /// How long after a release was refused as `overloaded` the broker still counts as overloaded.
        var refusalMemory = Duration.seconds(1)
        /// How long the answer for a key that its store refused is given again without asking; zero for not at all.
        package var refusedKeyMemory = Duration.zero

        package init(requestTimeout: Duration, releaseLimit: Int, releaseQueue: Int, session: ReleaseSessionOptions?) {
            self.requestTimeout = requestTimeout
            self.releaseLimit = releaseLimit
            self.releaseQueue = releaseQueue
            self.session = session
        }
    }

    let evidence: NamedProvider<any EvidenceProvider>
    let verifier: NamedProvider<any Verifier>
    let judges: Judges
    let keyStores: [NamedProvider<any KeyStore>]
    let wrappingKeys: WrappingKeyPool
    let options: Options
    let admission: Admission
    let sessions: ReleaseSessions?
    let shared: SharedReleases
    let refusedAlternates = RefusedAlternates()
    /// Health of the services, for readiness.
    let upstreams: (any UpstreamReporting)?
    let clock: any WallClock
    let logger: Logger
    /// Told about every request of the use cases, in this order.
    let observers: [any RequestObserver]
    /// Whom the broker serves, and how often.
    package let callers: CallerGate
    let refusedKeys: RefusedKeys
    let watch: ReadinessWatch

    package init(
        evidence: NamedProvider<any EvidenceProvider>, verifier: NamedProvider<any Verifier>, keyStores: [NamedProvider<any KeyStore>],
        judges: [NamedProvider<any EvidenceJudge>] = [], rule: VerifierRule = .all, wrappingKeys: WrappingKeyPool, options: Options,
        upstreams: (any UpstreamReporting)? = nil, clock: any WallClock = SystemClock(), logger: Logger,
        observers: [any RequestObserver] = [], callers: CallerGate = CallerGate()
    ) {
        self.judges = Judges(judges, rule: rule)
        self.evidence = evidence
        self.verifier = verifier
        self.keyStores = keyStores
        self.wrappingKeys = wrappingKeys
        self.options = options
        let admission = Admission(running: options.releaseLimit, waiting: options.releaseQueue, memory: options.refusalMemory)
        self.admission = admission
        shared = SharedReleases(
            isCrowded: { admission.isTurningAway }, isTroubled: { upstreams?.upstreamState(of: .service($0)) != nil })
        sessions = options.session.map { ReleaseSessions($0, clock: clock) }
        self.upstreams = upstreams
        self.clock = clock
        self.logger = logger
        self.observers = observers
        self.callers = callers
        refusedKeys = RefusedKeys(memory: options.refusedKeyMemory)
        watch = ReadinessWatch(
            authority: verifier.provider.defaultAuthority, stores: keyStores.compactMap { $0.provider.defaultEndpoint }, logger: logger)
    }

    /// Name of the evidence provider that the configuration chose.
    package var evidenceProvider: String { evidence.name }

    /// What the evidence of this broker is worth.
    package var provenance: Evidence.Provenance { evidence.provider.provenance }

    /// A context for one request whose deadline starts to run now.
    package func makeContext(_ record: RequestRecord) -> RequestContext {
        RequestContext(record, deadline: .after(options.requestTimeout), logger: logger)
    }

    /// The same for what nobody asked for from outside.
    package func makeContext(id: String) -> RequestContext { makeContext(RequestRecord(requestID: id, caller: .broker)) }

    /// A report that commits to `runtimeData`. Endorsements may be missing.
    package func rawEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await rawEvidence(binding: runtimeData.reportData, in: context)
    }

    /// A report with exactly this report data. Endorsements may be missing.
    package func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await recorded(.attestRaw, in: context, beginningAt: .evidence) { [self] () async throws(BrokerError) in
            try callers.admit(context.recorder.record)
            return try await collect(binding, isRaw: true, in: context).evidence
        }
    }

    /// A report that commits to `runtimeData` with the endorsements that match its TCB.
    package func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await recorded(.attestCombined, in: context, beginningAt: .evidence) { [self] () async throws(BrokerError) in
            try callers.admit(context.recorder.record)
            return try await combined(for: runtimeData, in: context).evidence
        }
    }

    func combined(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> (
        evidence: Evidence, report: AttestationReport, proof: RequestRecord.Proof
    ) {
        let (evidence, report, proof) = try await collect(runtimeData.reportData, isRaw: false, in: context)
        guard !evidence.endorsements.isEmpty else {
            throw BrokerError(
                .evidenceUnavailable, at: .endorsement,
                "there is no certificate chain for this machine's processor, so the report cannot be endorsed")
        }
        guard evidence.endorsedTCB == report.reportedTCB.hex else {
            throw BrokerError(
                .endorsementMismatch, at: .endorsement,
                "the certificate chain endorses TCB \(evidence.endorsedTCB), the report says \(report.reportedTCB.hex)")
        }
        return (evidence, report, proof)
    }

    /// The verifier's token for `runtimeData`, from `authority` or the configured one.
    package func token(for runtimeData: RuntimeData, from authority: Endpoint?, in context: RequestContext) async throws(BrokerError)
        -> AttestationToken
    {
        try await recorded(.attestToken, in: context, beginningAt: .evidence) { [self] () async throws(BrokerError) in
            let authority = try chooseAuthority(authority)
            context.recorder.note { $0.authority = authority }
            try callers.admit(context.recorder.record)
            return try await attest(runtimeData, to: authority, in: context).token
        }
    }

    /// The token, after all verifiers were heard, and what it proves.
    func attest(_ runtimeData: RuntimeData, to authority: Endpoint, in context: RequestContext) async throws(BrokerError) -> (
        token: AttestationToken, proof: RequestRecord.Proof
    ) {
        let (evidence, report, collected) = try await combined(for: runtimeData, in: context)
        async let judged = judgements(of: evidence, runtimeData, in: context)
        let issued = await issue(for: evidence, runtimeData, from: authority, in: context)
        try judges.settle(await judged, issuer: verifier.name, issued, report: report, in: context)
        let token = try issued.get()
        var proof = collected
        proof.tokenID = token.content.id
        proof.tokenExpiresAt = token.expiresAt
        proof.tokenDigest = Hex.encode(DigestAlgorithm.sha256.digest(Array(token.compact.utf8)))
        context.recorder.note { [proof] in $0.proof = proof }
        return (token, proof)
    }

    private func issue(for evidence: Evidence, _ runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext) async
        -> Result<AttestationToken, BrokerError>
    {
        do throws(BrokerError) { return .success(try await token(for: evidence, runtimeData, from: authority, in: context)) } catch {
            return .failure(error)
        }
    }

    private func token(for evidence: Evidence, _ runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
    {
        let verifier = verifier.provider
        let token = try await asked(at: .verify, in: context) { () async throws(BrokerError) in
            try await verifier.token(for: evidence, runtimeData: runtimeData, from: authority, in: context)
        }
        guard token.authority == authority else {
            throw BrokerError(.upstreamInvalid, at: .verify, "the token was issued by \(token.authority), not by \(authority)")
        }
        guard token.expiresAt > clock.now() else {
            throw BrokerError(.upstreamInvalid, at: .verify, "the token of \(authority) has already expired")
        }
        return token
    }

    private func collect(_ binding: ReportData, isRaw: Bool, in context: RequestContext) async throws(BrokerError) -> (
        evidence: Evidence, report: AttestationReport, proof: RequestRecord.Proof
    ) {
        let provider = evidence.provider
        let evidence = try await asked(at: .evidence, in: context) { () async throws(BrokerError) in
            isRaw
                ? try await provider.rawEvidence(binding: binding, in: context) : try await provider.evidence(binding: binding, in: context)
        }
        let report: AttestationReport
        do { report = try AttestationReport(evidence.report) } catch {
            throw BrokerError(
                .evidenceUnavailable, at: .evidence,
                "evidence provider '\(self.evidence.name)' returned something that is not an attestation report: \(error)")
        }
        guard constantTimeEqual(Array(report.reportData), binding.bytes) else {
            throw BrokerError(
                .evidenceUnavailable, at: .evidence,
                "evidence provider '\(self.evidence.name)' returned a report that commits to other data than was asked for")
        }
        guard evidence.provenance == provider.provenance else {
            throw BrokerError(.internal, at: .evidence, "evidence provider '\(self.evidence.name)' contradicts itself about its provenance")
        }
        if let ended = sessions?.endAll(exceptTCB: report.reportedTCB.hex), ended > 0 {
            context.logger.notice(
                "release sessions ended: the machine reports another TCB",
                metadata: ["sessions": "\(ended)", "tcb": "\(report.reportedTCB.hex)"])
        }
        let proof = RequestRecord.Proof(evidence, report, at: clock.now())
        context.recorder.note { $0.proof = proof }
        return (evidence, report, proof)
    }
}

extension RequestRecord.Proof {
    fileprivate init(_ evidence: Evidence, _ report: AttestationReport, at time: Int64) {
        self.init(
            evidenceDigest: Hex.encode(DigestAlgorithm.sha256.digest(evidence.report)), tcb: report.reportedTCB.hex,
            policyDigest: Hex.encode(report.hostData), provenance: evidence.provenance)
        collectedAt = time
        certificatesExpireAt = evidence.endorsements.compactMap { try? Certificate(der: $0).notAfter }.min()
    }
}
