package import BrokerCore
package import HTTPTransport
internal import JOSE
internal import KeyProvider
internal import Logging
internal import OpenSSLCrypto
package import SecureMemory
internal import StrictJSON
internal import Synchronization

/// What a caller wants released.
package struct ReleaseRequest: Sendable {
    package var key: KeyName
    /// The key store, or `nil` for the first configured one.
    package var store: Endpoint?
    /// The verifier's authority, or `nil` for the configured one.
    package var authority: Endpoint?
    /// With whose identity the store is asked.
    package var caller: CallerCredential

    package init(key: KeyName, store: Endpoint? = nil, authority: Endpoint? = nil, caller: CallerCredential = .broker) {
        self.key = key
        self.store = store
        self.authority = authority
        self.caller = caller
    }
}

/// A released key in the clear. Lives as briefly as its owner can make it.
package struct ReleasedKey: ~Copyable, Sendable {
    /// The identifier that the store gave, with a version.
    package let keyID: String
    /// The private JWK (RFC 7517) as UTF-8 JSON with its members in alphabetical order.
    package let jwk: SecretBytes
    /// The same key for use in this process.
    let material: OpenedKey?

    package init(keyID: String, jwk: consuming SecretBytes) { self.init(keyID: keyID, jwk: jwk, material: nil) }

    init(keyID: String, jwk: consuming SecretBytes, material: OpenedKey?) {
        self.keyID = keyID
        self.jwk = jwk
        self.material = material
    }
}

extension BrokerEngine {
    /// Proves this machine to the verifier with a wrapping key, trades the token for the key at its store, and opens it.
    ///
    /// Wrapping key and token are made for this release alone, where release sessions are off.
    package func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey {
        context.recorder.note { $0.key = request.key }
        return try await recorded(.release, in: context, beginningAt: .release) { [self] () async throws(BrokerError) -> ReleasedKey in
            let authorities = try releaseAuthorities(request.authority)
            let order = try order(request, authorities[0])
            context.recorder.note {
                ($0.store, $0.storeEndpoint, $0.authority) = (order.store.name, order.reference.store, order.authority)
            }
            try callers.admit(context.recorder.record)
            return try await remembering(order) { () async throws(BrokerError) -> ReleasedKey in
                try await firstThatAnswers(authorities, for: order.reference, in: context) {
                    (authority: Endpoint) async throws(BrokerError) -> ReleasedKey in
                    context.recorder.note { $0.authority = authority }
                    return try await release(try self.order(request, authority), in: context)
                }
            }
        }
    }

    /// A key that was just refused is not asked for again, and a refusal is remembered; of the broker's own identity only.
    private func remembering(_ order: Order, _ work: () async throws(BrokerError) -> ReleasedKey) async throws(BrokerError) -> ReleasedKey {
        guard case .broker = order.caller else { return try await work() }
        let wish = SharedReleases.Wish(key: order.reference, authority: order.authority)
        try refusedKeys.check(wish)
        do throws(BrokerError) { return try await work() } catch {
            refusedKeys.note(error, of: wish)
            throw error
        }
    }

    private func order(_ request: ReleaseRequest, _ authority: Endpoint) throws(BrokerError) -> Order {
        let (store, endpoint) = try chooseStore(request.store)
        return Order(
            reference: KeyReference(store: endpoint, name: request.key), store: store, authority: authority, caller: request.caller)
    }

    private func release(_ order: Order, in context: RequestContext) async throws(BrokerError) -> ReleasedKey {
        guard let sessions else {
            context.recorder.note { $0.session = .single }
            return try await admitted(in: context) { () async throws(BrokerError) -> ReleasedKey in
                try await carryOut(order, with: try await makeSession(for: order, in: context), in: context)
            }
        }
        // Somebody else's identity shares nothing.
        guard case .broker = order.caller else {
            return try await admitted(in: context) { () async throws(BrokerError) -> ReleasedKey in
                try await release(order, sessions, in: context)
            }
        }
        let wish = SharedReleases.Wish(key: order.reference, authority: order.authority)
        // Only the exchange waits for a turn: a crowd that wants one key takes one place.
        return try await shared.release(wish, in: context) { [self] context, asking throws(BrokerError) in
            try await admitted(in: context) { () async throws(BrokerError) -> ReleasedKey in
                try await release(order, sessions, in: context, asking: asking)
            }
        }
    }

    private func admitted(in context: RequestContext, _ work: () async throws(BrokerError) -> ReleasedKey) async throws(BrokerError)
        -> ReleasedKey
    {
        let start = ContinuousClock.now
        return try await admission.admitted(context.recorder.record.caller.share) { () async throws(BrokerError) -> ReleasedKey in
            context.recorder.add(start.duration(to: .now), to: .queue)
            return try await work()
        }
    }

    /// Ends all release sessions, so that the next release proves this machine anew; their number.
    @discardableResult package func endSessions() -> Int {
        refusedKeys.forget()
        return sessions?.endAll() ?? 0
    }

    /// A request with everything chosen.
    private struct Order: Sendable {
        let reference: KeyReference
        let store: NamedProvider<any KeyStore>
        let authority: Endpoint
        let caller: CallerCredential
    }

    private func release(
        _ order: Order, _ sessions: ReleaseSessions, in context: RequestContext, asking: @Sendable () -> Void = {}
    ) async throws(BrokerError) -> ReleasedKey {
        let scope = ReleaseSession.Scope(authority: order.authority, store: order.reference.store)
        while true {
            let lease = try await sessions.lease(for: scope, in: context) { [self] context throws(BrokerError) in
                try await makeSession(for: order, in: context)
            }
            context.recorder.note { ($0.session, $0.proof) = (lease.isReused ? .reused : .new, lease.session.proof) }
            asking()
            do { return try await carryOut(order, with: lease.session, in: context) } catch {
                guard error.mayComeFromSession else { throw error }
                guard lease.isReused else {
                    sessions.noteDenial(of: order.reference)
                    throw error
                }
                guard !sessions.isKnownDenial(of: order.reference) else { throw error }
                sessions.end(lease.session)
                context.logger.info("release session ended; trying with a new one", metadata: ["reason": "\(error.code.rawValue)"])
            }
        }
    }

    /// A new wrapping key and the token that names it, while the store gets ready.
    private func makeSession(for order: Order, in context: RequestContext) async throws(BrokerError) -> ReleaseSession {
        async let prepared = prepare(order, in: context)
        let wrappingKey = try await wrappingKeys.take(for: context.recorder.record.caller.share)
        let claim = WrappingKeyClaim(wrappingKey.publicNumbers)
        let (token, proof) = try await attest(claim.runtimeData, to: order.authority, in: context)
        try claim.mustBeRepeated(by: token)
        try await prepared.get()
        return ReleaseSession(key: wrappingKey, token: token, proof: proof, maker: context.id)
    }

    private func prepare(_ order: Order, in context: RequestContext) async -> Result<Void, BrokerError> {
        let provider = order.store.provider
        do throws(BrokerError) {
            try await asked(at: .identity, in: context) { () async throws(BrokerError) in
                try await provider.prepare(for: order.reference.store, as: order.caller, in: context)
            }
            return .success(())
        } catch { return .failure(error) }
    }

    private func carryOut(_ order: Order, with session: ReleaseSession, in context: RequestContext) async throws(BrokerError) -> ReleasedKey
    {
        let provider = order.store.provider
        let wrapped = try await asked(at: .release, in: context) { () async throws(BrokerError) in
            try await provider.release(order.reference, presenting: session.token, as: order.caller, in: context)
        }
        try Self.check(wrapped, answers: order.reference)
        context.recorder.note { $0.releasedKeyID = wrapped.keyID }
        let start = ContinuousClock.now
        defer { context.recorder.add(start.duration(to: .now), to: .unwrap) }
        return try Self.open(wrapped, with: session.key)
    }

    private static func check(_ wrapped: WrappedKey, answers reference: KeyReference) throws(BrokerError) {
        // As the store spells it, and with a version.
        guard let answered = KeyReference(identifier: wrapped.keyID), answered.name.version != nil, reference.isAnswered(by: answered)
        else { throw BrokerError(.upstreamInvalid, at: .release, "the key store answered for another key than \(reference)") }
    }

    static func open(_ wrapped: WrappedKey, with wrappingKey: borrowing WrappingKey) throws(BrokerError) -> ReleasedKey {
        let secret: SecretBytes
        do { secret = try wrappingKey.unwrap(wrapped.ciphertext, using: wrapped.algorithm) } catch {
            throw BrokerError(
                .unwrapFailed, at: .unwrap,
                "the released key does not open with this request's wrapping key (\(wrapped.algorithm.rawValue))", cause: error)
        }
        guard wrapped.type != .oct else {
            guard wrapped.publicPart == nil else {
                throw BrokerError(.unwrapFailed, at: .unwrap, "the key store calls the key symmetric and gives it a public part")
            }
            let jwk = PrivateJWK.encode(symmetric: secret, keyOperations: wrapped.operations)
            return ReleasedKey(keyID: wrapped.keyID, jwk: jwk, material: OpenedKey(.symmetric(secret)))
        }
        let numbers: PrivateKeyNumbers
        do { numbers = try PrivateKeyNumbers(pkcs8DER: secret, known: signedNumbers(of: wrapped)) } catch {
            throw BrokerError(
                .unwrapFailed, at: .unwrap, "the released key is not a valid \(wrapped.type.rawValue) private key in PKCS#8", cause: error)
        }
        guard matches(numbers, wrapped) else {
            throw BrokerError(
                .unwrapFailed, at: .unwrap, "the released private key is not the one that the key store's signed answer describes")
        }
        return ReleasedKey(
            keyID: wrapped.keyID, jwk: PrivateJWK.encode(numbers, keyOperations: wrapped.operations), material: OpenedKey(numbers))
    }

    /// The public half of an RSA key that the key store's signed answer states.
    private static func signedNumbers(of wrapped: WrappedKey) -> RSAPublicNumbers? {
        guard case .rsa(let n, let e)? = wrapped.publicPart else { return nil }
        return RSAPublicNumbers(n: n, e: e)
    }

    private static func matches(_ numbers: borrowing PrivateKeyNumbers, _ wrapped: WrappedKey) -> Bool {
        switch (numbers.kind, wrapped.type) {
        case (.rsa, .rsa): return wrapped.publicPart == nil || numbers.rsaPublic == signedNumbers(of: wrapped)
        case (.ec(let curve), .ec):
            guard case .ec(let named, let x, let y)? = wrapped.publicPart else { return wrapped.publicPart == nil }
            guard let point = numbers.ecPublic else { return false }
            return curve.rawValue == named && point.x == x && point.y == y
        default: return false
        }
    }
}

extension BrokerError {
    /// Whether a store that is offered a fresh token for a fresh key could answer differently.
    /// A denial without a known cause could be about the token.
    fileprivate var mayComeFromSession: Bool {
        guard code == .releaseDenied else { return false }
        return details.map { ["policy-not-satisfied", "token-not-verified"].contains($0.cause) } ?? true
    }
}
