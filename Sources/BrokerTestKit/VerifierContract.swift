internal import AttestationTokens
public import BrokerCore
public import HTTPTransport
internal import JOSE
package import OpenSSLCrypto
internal import StrictJSON

/// What every `Verifier` must do, whatever service it speaks to. A provider's tests run it against a factory of their own, which puts the
/// verifier in front of an authority that misbehaves as told; `ScriptedAuthority` is one for the wire format of Microsoft Azure
/// Attestation.
public struct VerifierContract: Sendable {
    /// A verifier with the world around it.
    public struct Subject: Sendable {
        public var verifier: any Verifier
        /// An authority that it accepts and that stands at the other end.
        public var authority: Endpoint
        /// The key that this authority publishes.
        package var publishedKey: PublicKey
        /// What was logged.
        package var log: RecordedLog
        /// How many requests left the process so far.
        public var requestCount: @Sendable () -> Int

        package init(
            verifier: any Verifier, authority: Endpoint, publishedKey: PublicKey, log: RecordedLog,
            requestCount: @escaping @Sendable () -> Int
        ) {
            self.verifier = verifier
            self.authority = authority
            self.publishedKey = publishedKey
            self.log = log
            self.requestCount = requestCount
        }
    }

    /// Makes a subject whose authority behaves, or misbehaves as told.
    package var makeSubject: @Sendable (AuthorityMisbehaviour?) throws -> Subject
    /// Misbehaviours that this verifier's protocol cannot show.
    package var inapplicable: Set<AuthorityMisbehaviour>

    package init(inapplicable: Set<AuthorityMisbehaviour> = [], makeSubject: @escaping @Sendable (AuthorityMisbehaviour?) throws -> Subject)
    {
        self.inapplicable = inapplicable
        self.makeSubject = makeSubject
    }

    /// A cancelled call that waits for its deadline instead takes twice as long as this; a busy machine does not.
    private static let patience = Duration.seconds(60)

    /// Every way in which the verifier breaks the contract, in words; empty when it keeps it.
    public func violations() async -> [String] {
        var found: [String] = []
        do {
            found += try await believesAnHonestAuthority()
            found += try await keepsConcurrentCallsApart()
            found += try await refusesForeignAuthorities()
            found += try await honoursADeadlineThatHasPassed()
            found += try await endsWhenCancelled()
            for how in AuthorityMisbehaviour.allCases where !inapplicable.contains(how) { found += try await survives(how) }
        } catch { found.append("the contract cannot be run: \(error)") }
        return found
    }

    /// A JWK set with a modulus that nobody has the private half of.
    static func runtimeData(_ label: String) -> RuntimeData {
        let document: JSONValue = [
            "keys": [
                [
                    "e": "AQAB", "key_ops": ["encrypt"], "kid": .string("runtime-\(label)"), "kty": "RSA",
                    "n": .string(Base64.encodeURL([UInt8](repeating: 0xC5, count: 256))),
                ]
            ]
        ]
        return RuntimeData(document.serialized())
    }

    private func believesAnHonestAuthority() async throws -> [String] {
        let subject = try makeSubject(nil)
        var found: [String] = []
        if !subject.verifier.accepts(subject.authority) { found.append("its own authority is not accepted") }
        if let authority = subject.verifier.defaultAuthority, !subject.verifier.accepts(authority) {
            found.append("its default authority is not accepted")
        }
        for data in [Self.runtimeData("honest"), RuntimeData(Array("not JSON at all".utf8)), RuntimeData([])] {
            let evidence = try SampleEvidence.evidence(for: data)
            do {
                let token = try await subject.verifier.token(
                    for: evidence, runtimeData: data, from: subject.authority, in: .forTest(log: subject.log))
                found += check(token, data, subject)
                found += leaks(of: [token.compact, Base64.encodeURL(evidence.report)], in: subject.log.lines)
            } catch { found.append("an honest token is refused: \(error)") }
        }
        return found
    }

    private func check(_ token: AttestationToken, _ data: RuntimeData, _ subject: Subject) -> [String] {
        var found: [String] = []
        if token.authority != subject.authority { found.append("the token names another authority than the one asked") }
        do {
            try token.content.jws.verify(with: subject.publishedKey, algorithm: .rs256)
            if let sent = try? JSONValue.parse(data.bytes), case .object = sent, token.content.runtimeClaim != sent {
                found.append("the runtime claim is not what was sent")
            }
        } catch { found.append("the returned token does not verify with the published key: \(error)") }
        return found
    }

    private func keepsConcurrentCallsApart() async throws -> [String] {
        let subject = try makeSubject(nil)
        let calls = try (0..<8).map { index in
            let data = Self.runtimeData("\(index)")
            return (data, try SampleEvidence.evidence(for: data))
        }
        return await withTaskGroup(of: [String].self) { group in
            for (data, evidence) in calls {
                group.addTask {
                    do {
                        let token = try await subject.verifier.token(
                            for: evidence, runtimeData: data, from: subject.authority, in: .forTest())
                        return check(token, data, subject)
                    } catch { return ["a concurrent call failed: \(error)"] }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func refusesForeignAuthorities() async throws -> [String] {
        let subject = try makeSubject(nil)
        var found: [String] = []
        for text in ["attacker.example", "\(subject.authority.host).evil.example", "evil-\(subject.authority.host).example"] {
            let foreign = try Endpoint(text)
            if subject.verifier.accepts(foreign) { found.append("\(foreign) is accepted") }
            let data = RuntimeData(Array("{}".utf8))
            let evidence = try SampleEvidence.evidence(for: data)
            let before = subject.requestCount()
            if let code = await failure({ () throws(BrokerError) in
                try await subject.verifier.token(for: evidence, runtimeData: data, from: foreign, in: .forTest())
            })?.code {
                if code != .noProvider { found.append("\(foreign) fails with \(code), expected noProvider") }
            } else {
                found.append("a token came from \(foreign)")
            }
            if subject.requestCount() != before { found.append("a request left for \(foreign)") }
        }
        return found
    }

    private func honoursADeadlineThatHasPassed() async throws -> [String] {
        let subject = try makeSubject(nil)
        let data = RuntimeData(Array("{}".utf8))
        let evidence = try SampleEvidence.evidence(for: data)
        let error = await failure { () throws(BrokerError) in
            try await subject.verifier.token(for: evidence, runtimeData: data, from: subject.authority, in: .forTest(timeout: .zero))
        }
        return error?.code == .deadlineExceeded
            ? [] : ["a passed deadline gives \(error.map { "\($0.code)" } ?? "a token"), expected deadlineExceeded"]
    }

    private func endsWhenCancelled() async throws -> [String] {
        let subject = try makeSubject(.silence)
        let data = RuntimeData(Array("{}".utf8))
        let evidence = try SampleEvidence.evidence(for: data)
        let call = Task { () -> Bool in
            await failure { () throws(BrokerError) in
                try await subject.verifier.token(
                    for: evidence, runtimeData: data, from: subject.authority, in: .forTest(timeout: Self.patience * 2))
            } != nil
        }
        call.cancel()
        let started = ContinuousClock.now
        let failed = await call.value
        if !failed { return ["a cancelled call returned a token"] }
        let taken = started.duration(to: .now)
        return taken < Self.patience ? [] : ["a cancelled call ended only after \(taken)"]
    }

    private func survives(_ how: AuthorityMisbehaviour) async throws -> [String] {
        let subject = try makeSubject(how)
        let data = Self.runtimeData("hostile")
        let evidence = try SampleEvidence.evidence(for: data)
        let timeout: Duration = how == .silence ? .milliseconds(200) : .seconds(600)
        guard
            let error = await failure({ () throws(BrokerError) in
                try await subject.verifier.token(
                    for: evidence, runtimeData: data, from: subject.authority, in: .forTest(timeout: timeout, log: subject.log))
            })
        else { return ["\(how.rawValue): a token came out"] }
        var found: [String] = []
        if !how.expectedCodes.contains(error.code) {
            found.append("\(how.rawValue): code \(error.code) (\(error.message)), expected \(how.expectedCodes)")
        }
        if error.stage != .verify { found.append("\(how.rawValue): stage \(error.stage), expected verify") }
        if how == .throttled, error.retryAfter != .seconds(7) {
            found.append("throttled: the hint of 7 s became \(error.retryAfter.map { "\($0)" } ?? "nothing")")
        }
        let upstream: [AuthorityMisbehaviour: Int] = [
            .badRequest: 400, .unauthorized: 401, .forbidden: 403, .throttled: 429, .serverError: 500,
        ]
        if let status = upstream[how], error.upstream?.status != status {
            found.append("\(how.rawValue): the service's status \(status) is not in the error")
        }
        let texts = subject.log.lines + ["\(error)", error.upstream?.body ?? ""]
        return found + leaks(of: [Base64.encodeURL(evidence.report)], in: texts)
    }

    private func failure(_ call: () async throws(BrokerError) -> AttestationToken) async -> BrokerError? {
        do {
            _ = try await call()
            return nil
        } catch { return error }
    }
}

/// Where one of `secrets` appears among `texts`, in words.
func leaks(of secrets: [String], in texts: [String]) -> [String] {
    secrets.filter { secret in secret.utf8.count > 8 && texts.contains { $0.contains(secret) } }.map {
        "a secret of \($0.utf8.count) bytes appears in a log line or an error"
    }
}
