internal import Issuing
public import BrokerCore
public import HTTPTransport
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// What every `KeyStore` must do, whatever service it speaks to. A provider's tests run it against a factory of their own, which puts the
/// store's client in front of a service that misbehaves as told; `ScriptedKeyStore` is one for the wire format of Key Vault and Managed
/// HSM.
public struct KeyStoreContract: Sendable {
    /// A key store client with the world around it.
    public struct Subject: Sendable {
        public var store: any KeyStore
        /// An endpoint that it claims and that stands at the other end.
        public var endpoint: Endpoint
        /// Keys that the other end holds and this client can receive.
        package var keys: [SampleKey]
        /// What the broker's own access token is.
        public var brokerToken: String
        /// The bearer tokens that arrived at the other end so far.
        public var bearers: @Sendable () -> [String]
        package var log: RecordedLog

        package init(
            store: any KeyStore, endpoint: Endpoint, keys: [SampleKey], brokerToken: String, log: RecordedLog,
            bearers: @escaping @Sendable () -> [String]
        ) {
            self.store = store
            self.endpoint = endpoint
            self.keys = keys
            self.brokerToken = brokerToken
            self.log = log
            self.bearers = bearers
        }
    }

    /// Makes a subject whose other end behaves, or misbehaves as told.
    package var makeSubject: @Sendable (StoreMisbehaviour?) throws -> Subject
    /// Misbehaviours that this store's protocol cannot show.
    package var inapplicable: Set<StoreMisbehaviour>
    /// Endpoints of other services, which must not be claimed.
    public var foreignEndpoints: [String]

    package init(
        foreignEndpoints: [String] = [], inapplicable: Set<StoreMisbehaviour> = [],
        makeSubject: @escaping @Sendable (StoreMisbehaviour?) throws -> Subject
    ) {
        self.foreignEndpoints = foreignEndpoints
        self.inapplicable = inapplicable
        self.makeSubject = makeSubject
    }

    /// A cancelled call that waits for its deadline instead takes twice as long as this; a busy machine does not.
    private static let patience = Duration.seconds(60)

    /// Every way in which the store breaks the contract, in words; empty when it keeps it.
    public func violations() async -> [String] {
        var found: [String] = []
        do {
            let target = try ReleaseTarget()
            found += try await releasesEveryKind(target)
            found += try await usesTheCallersToken(target)
            found += try await refusesForeignEndpoints(target)
            found += try await refusesBadCallerTokens(target)
            found += try await honoursADeadlineThatHasPassed(target)
            found += try await endsWhenCancelled(target)
            for how in StoreMisbehaviour.allCases where !inapplicable.contains(how) { found += try await survives(how, target) }
        } catch { found.append("the contract cannot be run: \(error)") }
        return found
    }

    private func releasesEveryKind(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(nil)
        var found: [String] = []
        if !subject.store.claims(subject.endpoint) { found.append("its own endpoint is not claimed") }
        if let endpoint = subject.store.defaultEndpoint, !subject.store.claims(endpoint) {
            found.append("its default endpoint is not claimed")
        }
        for key in subject.keys {
            for name in [key.name, "\(key.name)/\(key.version)"] {
                do {
                    let wrapped = try await subject.store.release(
                        try reference(name, subject), presenting: target.token, as: .broker, in: .forTest(log: subject.log))
                    found += check(wrapped, key, subject, target)
                } catch { found.append("\(name): an honest answer is refused: \(error)") }
            }
        }
        if subject.bearers().contains(where: { $0 != subject.brokerToken }) {
            found.append("another token than the broker's own was presented")
        }
        return found + leaks(of: [subject.brokerToken, target.token.compact], in: subject.log.lines)
    }

    private func check(_ wrapped: WrappedKey, _ key: SampleKey, _ subject: Subject, _ target: borrowing ReleaseTarget) -> [String] {
        var found: [String] = []
        let keyID = "\(subject.endpoint.origin)/keys/\(key.name)/\(key.version)"
        if wrapped.keyID != keyID { found.append("\(key.name): key id \(wrapped.keyID), expected \(keyID)") }
        if wrapped.type != key.type { found.append("\(key.name): type \(wrapped.type), expected \(key.type)") }
        if wrapped.operations != key.operations { found.append("\(key.name): operations \(wrapped.operations)") }
        if wrapped.publicPart != key.publicPart { found.append("\(key.name): the public part differs") }
        do {
            let opened = try target.wrappingKey.unwrap(wrapped.ciphertext, using: wrapped.algorithm)
            let isContent = key.content.withUnsafeBytes { content in opened.withUnsafeBytes { constantTimeEqual($0, content) } }
            if !isContent { found.append("\(key.name): another key came out of the ciphertext") }
        } catch { found.append("\(key.name): the ciphertext does not open: \(error)") }
        return found
    }

    private func usesTheCallersToken(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(nil)
        let callers = "callers-canary-token-\(SecureRandom.hex(8))"
        let key = try reference(subject.keys[0].name, subject)
        _ = try await subject.store.release(key, presenting: target.token, as: .bearer(Redacted(callers)), in: .forTest(log: subject.log))
        _ = try await subject.store.release(key, presenting: target.token, as: .broker, in: .forTest(log: subject.log))
        let found =
            subject.bearers() == [callers, subject.brokerToken]
            ? [] : ["a caller's token must be used for its own request and for no other"]
        return found + leaks(of: [callers, subject.brokerToken], in: subject.log.lines)
    }

    private func refusesForeignEndpoints(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(nil)
        var found: [String] = []
        let lookAlikes = [
            "attacker.example", "\(subject.endpoint.host).evil.example", "a.b.\(subject.endpoint.host)",
            "evil-\(subject.endpoint.host).example",
        ]
        for text in lookAlikes + foreignEndpoints {
            let foreign = try Endpoint(text)
            if subject.store.claims(foreign) { found.append("\(foreign) is claimed") }
            guard let name = KeyName(subject.keys[0].name) else { continue }
            do {
                _ = try await subject.store.release(
                    KeyReference(store: foreign, name: name), presenting: target.token, as: .broker, in: .forTest())
                found.append("a key came from \(foreign)")
            } catch { if error.code != .noProvider { found.append("\(foreign) fails with \(error.code), expected noProvider") } }
        }
        if !subject.bearers().isEmpty { found.append("a bearer token left for a foreign endpoint") }
        return found
    }

    private func refusesBadCallerTokens(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(nil)
        var found: [String] = []
        for token in ["", "a b", "canary-token\r\nX-Injected: 1", "canary-t\u{F6}ken", String(repeating: "a", count: 100_000)] {
            let error = await failure(subject, target, caller: .bearer(Redacted(token)))
            if error?.code != .invalidRequest {
                found.append("an unusable caller's token gives \(error.map { "\($0.code)" } ?? "a key"), expected invalidRequest")
            }
            if let error { found += leaks(of: [token], in: ["\(error)"]) }
        }
        if !subject.bearers().isEmpty { found.append("an unusable caller's token was sent") }
        return found
    }

    private func honoursADeadlineThatHasPassed(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let error = await failure(try makeSubject(nil), target, timeout: .zero)
        return error?.code == .deadlineExceeded
            ? [] : ["a passed deadline gives \(error.map { "\($0.code)" } ?? "a key"), expected deadlineExceeded"]
    }

    private func endsWhenCancelled(_ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(.silence)
        let key = try reference(subject.keys[0].name, subject)
        let token = target.token
        let call = Task { () -> Bool in
            (try? await subject.store.release(key, presenting: token, as: .broker, in: .forTest(timeout: Self.patience * 2))) == nil
        }
        call.cancel()
        let started = ContinuousClock.now
        let failed = await call.value
        if !failed { return ["a cancelled call returned a key"] }
        let taken = started.duration(to: .now)
        return taken < Self.patience ? [] : ["a cancelled call ended only after \(taken)"]
    }

    private func survives(_ how: StoreMisbehaviour, _ target: borrowing ReleaseTarget) async throws -> [String] {
        let subject = try makeSubject(how)
        let callers = "callers-canary-token-\(SecureRandom.hex(8))"
        let error = await failure(
            subject, target, caller: .bearer(Redacted(callers)), timeout: how == .silence ? .milliseconds(200) : .seconds(600))
        guard let error else { return ["\(how.rawValue): a key came out"] }
        var found: [String] = []
        if !how.expectedCodes.contains(error.code) {
            found.append("\(how.rawValue): code \(error.code) (\(error.message)), expected \(how.expectedCodes)")
        }
        if error.stage != how.expectedStage { found.append("\(how.rawValue): stage \(error.stage), expected \(how.expectedStage)") }
        if how == .throttled, error.retryAfter != .seconds(7) {
            found.append("throttled: the hint of 7 s became \(error.retryAfter.map { "\($0)" } ?? "nothing")")
        }
        let texts = subject.log.lines + ["\(error)", error.upstream?.body ?? ""]
        return found + leaks(of: [callers, target.token.compact], in: texts)
    }

    private func failure(
        _ subject: Subject, _ target: borrowing ReleaseTarget, caller: CallerCredential = .broker, timeout: Duration = .seconds(600)
    ) async -> BrokerError? {
        guard let name = KeyName("\(subject.keys[0].name)/\(subject.keys[0].version)") else { return nil }
        do {
            _ = try await subject.store.release(
                KeyReference(store: subject.endpoint, name: name), presenting: target.token, as: caller,
                in: .forTest(timeout: timeout, log: subject.log))
            return nil
        } catch { return error }
    }

    private func reference(_ name: String, _ subject: Subject) throws -> KeyReference {
        guard let name = KeyName(name) else { throw JSONError(.invalidValue, "'\(name)' is not a key name") }
        return KeyReference(store: subject.endpoint, name: name)
    }
}

/// A wrapping key and a token that names it.
struct ReleaseTarget: ~Copyable {
    let wrappingKey: WrappingKey
    let token: AttestationToken

    init() throws {
        let key = try WrappingKey.generate(bits: 2048)
        token = try Self.token(naming: key.publicNumbers)
        wrappingKey = key
    }

    /// An unsigned token: a key store's client passes on what a verifier checked.
    static func token(naming numbers: RSAPublicNumbers) throws -> AttestationToken {
        let claims: JSONValue = [
            "iss": "https://authority.example", "exp": 2_000_000_000,
            "x-ms-runtime": [
                "keys": [
                    [
                        "e": .string(Base64.encodeURL(numbers.e)), "key_ops": ["encrypt"], "kid": .string(JWK.thumbprint(rsa: numbers)),
                        "kty": "RSA", "n": .string(Base64.encodeURL(numbers.n)),
                    ]
                ]
            ],
        ]
        let compact = JWSBuilder.unsecured(header: ["alg": "none"], payload: claims.serialized())
        return try AttestationToken(compact: compact, authority: try Endpoint("authority.example"))
    }
}
