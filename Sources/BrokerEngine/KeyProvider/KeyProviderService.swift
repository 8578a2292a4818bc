package import BrokerCore
package import HTTPTransport
internal import KeyProvider
internal import Logging
package import OpenSSLCrypto
package import SecureMemory

/// What the key-provider protocol needs of the engine, so that a test can script it.
package protocol KeyProviderEngine: Sendable {
    func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey
    /// The store that a request without or with a name goes to.
    func keyStore(named: Endpoint?) throws(BrokerError) -> Endpoint
    /// The verifier's authority for requests that name none; `nil` where none is configured.
    var configuredAuthority: Endpoint? { get }
    /// The key that data is wrapped to: `known`, or what the store says, if the caller may have it.
    func publicKey(of key: KeyName, at store: Endpoint?, known: PublicKey?, in context: RequestContext) async throws(BrokerError)
        -> PublicKey
}

/// The ocicrypt key-provider protocol: keys of encrypted images are wrapped to a key that only an attested machine can have, and unwrapped
/// with it (KeyProvider.md, "Protocol").
package struct KeyProviderService: Sendable {
    package struct Options: Sendable {
        /// The name under which images know this provider.
        package var name: String
        package var keys: KeyTable
        /// Public halves that are at hand, by their canonical names.
        package var publicKeys: [String: PublicKey]
        /// The hosts that a packet may name; where it is empty, those that the providers answer for.
        package var endpoints: Set<Endpoint>

        package init(
            name: String = "attestation-agent", keys: KeyTable, publicKeys: [String: PublicKey] = [:], endpoints: Set<Endpoint> = []
        ) {
            self.name = name
            self.keys = keys
            self.publicKeys = publicKeys
            self.endpoints = endpoints
        }
    }

    private let engine: any KeyProviderEngine
    private let options: Options

    package init(_ engine: any KeyProviderEngine, _ options: Options) {
        self.engine = engine
        self.options = options
    }

    /// Either operation, as the request asks: for a client that does not say it otherwise.
    package func answer(_ request: consuming SecretBytes, in context: RequestContext) async throws(BrokerError) -> SecretBytes {
        let operation: KeyProviderRequest.Operation
        do throws(KeyProviderRefusal) { operation = try KeyProviderRequest.operation(of: request) } catch { throw Self.refused(error) }
        switch operation {
        case .wrap: return try await wrapKey(request, in: context)
        case .unwrap: return try await unwrapKey(request, in: context)
        }
    }

    // MARK: Wrap

    /// Answers a `keywrap` request. Needs no secret: the public half is configured or read from the key store.
    package func wrapKey(_ request: consuming SecretBytes, in context: RequestContext) async throws(BrokerError) -> SecretBytes {
        let wrap = try parse(request)
        let kid = wrap.kid
        let place = try self.place(of: kid)
        // A public half that is at hand needs no store.
        let known = KeyTable.canonical(kid).flatMap { options.publicKeys[$0] }
        let store: Endpoint?
        do throws(BrokerError) { store = try engine.keyStore(named: place.store) } catch {
            guard known != nil else { throw error }
            store = nil
        }
        let key = try await engine.publicKey(of: place.key, at: store, known: known, in: context)
        let packet = AnnotationPacket.wrap(
            wrap.content, to: key, kid: kid, keyStore: store?.description ?? "", authority: engine.configuredAuthority?.description ?? "")
        guard let packet else {
            throw BrokerError(.invalidRequest, at: .route, "the key '\(place.key)' is no RSA key of 2048 bits or more; no other wraps")
        }
        return KeyProviderAnswer.wrapped(packet.serialized())
    }

    // MARK: Unwrap

    /// Answers a `keyunwrap` request: the key that the packet names is released to this machine and opens it.
    package func unwrapKey(_ request: consuming SecretBytes, in context: RequestContext) async throws(BrokerError) -> SecretBytes {
        let annotation: [UInt8]
        do { annotation = try KeyProviderRequest.annotation(request) } catch { throw Self.refused(error) }
        return KeyProviderAnswer.unwrapped(try await open(annotation, in: context))
    }

    /// What an annotation packet holds.
    package func open(_ annotation: [UInt8], in context: RequestContext) async throws(BrokerError) -> SecretBytes {
        let packet: AnnotationPacket
        do { packet = try AnnotationPacket(parsing: annotation) } catch { throw Self.refused(error) }
        let request = try self.request(for: packet)
        let released = try await engine.release(request, in: context)
        guard let material = released.material else { throw BrokerError(.internal, at: .unwrap, "the released key cannot be used") }
        do { return try packet.open(with: material.key) } catch {
            switch error {
            case .wrongKind(let reason): throw BrokerError(.invalidRequest, at: .unwrap, reason)
            case .unopened:
                throw BrokerError(
                    .unwrapFailed, at: .unwrap,
                    "the annotation packet does not open with \(released.keyID); it was made for another key or version, or is damaged")
            }
        }
    }

    private func request(for packet: AnnotationPacket) throws(BrokerError) -> ReleaseRequest {
        let place = try self.place(of: packet.kid)
        let named = try endpoint(packet.keyStore, "kms_endpoint")
        let authority = try endpoint(packet.authority, "attester_endpoint")
        // What the operator wrote counts more than what an image says.
        return ReleaseRequest(key: place.key, store: place.store ?? named, authority: authority)
    }

    private func place(of kid: String) throws(BrokerError) -> KeyTable.Place {
        if let place = options.keys.place(of: kid) { return place }
        throw BrokerError(
            .invalidRequest, at: .route,
            "the image names no key of a store; add an entry to key-provider.keys if it is meant (its kid has \(kid.utf8.count) bytes)")
    }

    private func endpoint(_ text: String, _ member: String) throws(BrokerError) -> Endpoint? {
        guard !text.isEmpty else { return nil }
        let endpoint: Endpoint
        do { endpoint = try Endpoint(text) } catch {
            throw BrokerError(.invalidRequest, at: .decode, "the annotation packet: \(member): \(error.description)")
        }
        guard options.endpoints.isEmpty || options.endpoints.contains(endpoint) else {
            throw BrokerError(.noProvider, at: .route, "the image names \(endpoint), which is not among key-provider.endpoints")
        }
        return endpoint
    }

    private func parse(_ request: consuming SecretBytes) throws(BrokerError) -> KeyProviderRequest.Wrap {
        do { return try KeyProviderRequest.wrap(request, provider: options.name) } catch { throw Self.refused(error) }
    }

    private static func refused(_ refusal: KeyProviderRefusal) -> BrokerError {
        BrokerError(.invalidRequest, at: .decode, refusal.description)
    }
}

extension BrokerEngine: KeyProviderEngine {
    package func keyStore(named: Endpoint?) throws(BrokerError) -> Endpoint { try chooseStore(named).endpoint }

    package var configuredAuthority: Endpoint? { verifier.provider.defaultAuthority }

    package func publicKey(of key: KeyName, at store: Endpoint?, known: PublicKey?, in context: RequestContext) async throws(BrokerError)
        -> PublicKey
    {
        context.recorder.note { $0.key = key }
        return try await recorded(.wrapKey, in: context, beginningAt: .release) { [self] () async throws(BrokerError) in
            let chosen = try store.map { (store) throws(BrokerError) in try chooseStore(store) }
            context.recorder.note { ($0.store, $0.storeEndpoint) = (chosen?.store.name, chosen?.endpoint) }
            try callers.admit(context.recorder.record)
            if let known { return known }
            guard let chosen, let reader = chosen.store.provider as? any PublicKeyReading else {
                throw BrokerError(
                    .noProvider, at: .route,
                    "key store '\(chosen?.store.name ?? "none")' does not say what a key's public half is; "
                        + "name a file in key-provider.public-keys"
                )
            }
            let reference = KeyReference(store: chosen.endpoint, name: key)
            let numbers = try await asked(at: .release, in: context) { () async throws(BrokerError) in
                try await reader.publicKey(of: reference, in: context)
            }
            do { return try PublicKey(rsa: RSAPublicNumbers(n: numbers.n, e: numbers.e)) } catch {
                throw BrokerError(.upstreamInvalid, at: .release, "\(chosen.endpoint) describes a key that is none: \(error)", cause: error)
            }
        }
    }
}
