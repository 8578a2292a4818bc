public import HTTPTransport

/// Binds 64 caller-chosen bytes to this machine.
public protocol EvidenceProvider: Sendable {
    /// What this provider's evidence is worth; the same in every `Evidence` it returns.
    var provenance: Evidence.Provenance { get }

    /// A report whose REPORT_DATA is exactly `binding`, with the endorsements that match it; anything else is an error, not a warning.
    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence

    /// A report whose REPORT_DATA is exactly `binding`, for a caller who wants nothing else. A provider that has to look for endorsements
    /// leaves them out here.
    func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence
}

extension EvidenceProvider {
    public func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await evidence(binding: binding, in: context)
    }
}

/// Turns evidence, and the runtime data it commits to, into a token that somebody else believes.
public protocol Verifier: Sendable {
    /// The authority for requests that name none.
    var defaultAuthority: Endpoint? { get }

    /// Authorities to ask in this order where `defaultAuthority` cannot be asked and the request named none. Whether their tokens open a
    /// key is for its release policy to say; a verifier with one authority leaves it out.
    var alternateAuthorities: [Endpoint] { get }

    /// Whether this verifier speaks to `authority`. A request may name no other.
    func accepts(_ authority: Endpoint) -> Bool

    /// A token that was verified against `authority`'s published keys and carries exactly `runtimeData`.
    func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
}

extension Verifier { public var alternateAuthorities: [Endpoint] { [] } }

/// Trades a token for a key that is wrapped to the public key named in it.
public protocol KeyStore: Sendable {
    /// The store for requests that name none.
    var defaultEndpoint: Endpoint? { get }

    /// Whether this store answers for `endpoint`. Two configured stores never claim the same one.
    func claims(_ endpoint: Endpoint) -> Bool

    /// Does ahead of `release` what needs no attestation token, above all getting the broker's own access token. The engine calls it while
    /// the evidence is collected and verified; a store that has nothing to prepare leaves it out.
    func prepare(for endpoint: Endpoint, as caller: CallerCredential, in context: RequestContext) async throws(BrokerError)

    /// The wrapped key, after the signed answer and its certificate chain were verified.
    func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
        async throws(BrokerError) -> WrappedKey
}

extension KeyStore {
    public func prepare(for endpoint: Endpoint, as caller: CallerCredential, in context: RequestContext) async throws(BrokerError) {}
}

/// Optional ability of a key store: to say what the public half of an RSA key is. Data can then be wrapped to it without a release.
public protocol PublicKeyReading: Sendable {
    /// Modulus and exponent, big-endian; of the current version where the reference has none. The store is asked as the broker.
    func publicKey(of key: KeyReference, in context: RequestContext) async throws(BrokerError) -> (n: [UInt8], e: [UInt8])
}

/// Optional ability of a provider: to say what it makes do with at present, for `/status` and `/readyz`.
public protocol NoticeReporting: Sendable {
    /// What works for the time being only, one sentence each for an operator; nothing when all is well. Asks nobody.
    func notices() -> [String]
}

/// Optional ability of a provider: to say whether it could work right now, for `/readyz` and `plugins probe`.
public protocol ReadinessReporting: Sendable {
    /// Why the provider cannot serve, in words for an operator, or nothing when it can. Bounded by the context's deadline; changes
    /// nothing.
    func obstacles(in context: RequestContext) async -> [String]
}
