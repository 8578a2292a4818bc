internal import JOSE
internal import OpenSSLCrypto
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// POST /keys/{name}[/{version}]/release (KeyStores.md, "Release request", "Release answer" and "Key wrapping";
/// ReleasePolicies.md, "Evaluation").
extension KeyStoreService {
    /// How far clocks may differ, in seconds.
    static let clockSkew: Int64 = 300
    /// Longest attestation token in bytes.
    static let maximumTokenBytes = 256 * 1024

    /// What a client asks for.
    struct ReleaseQuestion: Sendable {
        let target: String
        let nonce: String?
        let algorithm: KeyWrapAlgorithm
    }

    func release(_ name: String, version: String?, _ call: Call) async throws(KeyStoreRefusal) -> SimulatorResponse {
        guard !KeyAPIVersion.withoutRelease.contains(call.apiVersion) else {
            throw .badParameter("The release operation needs api-version 7.3 or later.")
        }
        let question = try question(call)
        let (record, found) = try find(name, version: version, call)
        try Self.checkUsable(found, for: "release", at: call.now)
        guard record.isExportable, let policy = record.policy?.policy else {
            throw .forbidden("The key is not exportable.", because: "the key was not made with exportable = true")
        }
        let claims = try await verifiedClaims(question.target, policy, now: call.now)
        let wrappingKey = try WrappingKeyChoice.first(in: claims)
        let wrapped: [UInt8]
        do { wrapped = try KeyWrap.wrap(found.material.plaintext.bytes, to: wrappingKey.key, using: question.algorithm) } catch {
            throw .badParameter("The key cannot be wrapped with the key of the attestation token.", because: "\(error)")
        }
        let answer = ReleaseAnswer(question: question, wrappingKeyID: wrappingKey.keyID, ciphertext: wrapped, requestedVersion: version)
        return SimulatorResponse(
            json: ["value": .string(try await sign(answer, record, found, call))],
            headers: [("x-simulator-explanation", "released to the key \(Self.headerText(wrappingKey.keyID))")])
    }

    private func question(_ call: Call) throws(KeyStoreRefusal) -> ReleaseQuestion {
        let body = try document(call)
        do {
            let target = try body.string("target")
            let name = try body.optionalString("enc") ?? KeyWrapAlgorithm.ckmRSAAESKeyWrap.rawValue
            guard let algorithm = KeyWrapAlgorithm(rawValue: name) else {
                throw try body.member("enc").invalid("unknown key encryption algorithm")
            }
            return ReleaseQuestion(target: target, nonce: try body.optionalString("nonce"), algorithm: algorithm)
        } catch let error as JSONError { throw .badParameter("Property has invalid value: \(error.description)") } catch {
            throw .badParameter("The request body cannot be read.")
        }
    }

    static func checkUsable(_ version: KeyVersion, for operation: String, at now: Int64) throws(KeyStoreRefusal) {
        guard version.isEnabled else {
            throw .forbidden("Operation \(operation) is not allowed on a disabled key.", inner: "KeyDisabled")
        }
        if let start = version.notBefore, now < start {
            throw .forbidden("Operation \(operation) is not allowed before the key's nbf.", inner: "KeyNotYetValid")
        }
        if let end = version.expires, now >= end {
            throw .forbidden("Operation \(operation) is not allowed on an expired key.", inner: "KeyExpired")
        }
    }

    // MARK: The attestation token

    /// The claims of a token whose signer the policy names, whose signature and times hold, and which satisfies the policy.
    func verifiedClaims(_ target: String, _ policy: ReleasePolicy, now: Int64) async throws(KeyStoreRefusal) -> JSONObject {
        let jws: JWS
        let claims: JSONCursor
        let issuer: String
        do {
            jws = try JWS(compact: target, maximumBytes: Self.maximumTokenBytes)
            claims = try jws.payload(limits: JSONLimits(maximumBytes: Self.maximumTokenBytes))
            issuer = try claims.string("iss")
        } catch { throw .attestationNotVerified("target is not an attestation token: \(error)") }
        let object: JSONObject
        do { object = try claims.object() } catch { throw .attestationNotVerified("target is not an attestation token: \(error)") }
        // Whose keys are fetched is decided by the policy, not by the token.
        let outcome = policy.evaluate(claims: object, issuer: issuer)
        guard let authority = policy.authorities.first(where: { $0.authority.utf8.elementsEqual(issuer.utf8) }) else {
            throw .policyNotSatisfied(outcome.obstacles.joined(separator: "; "))
        }
        try await verifySignature(jws, authority.authority)
        try Self.checkTimes(claims, now: now)
        guard outcome.isSatisfied else { throw .policyNotSatisfied(outcome.obstacles.joined(separator: "; ")) }
        return object
    }

    private func verifySignature(_ jws: JWS, _ authority: String) async throws(KeyStoreRefusal) {
        let keys: JWKSet
        do { keys = try await attestationAuthorities.keys(of: authority) } catch {
            guard error.isUnreachable else { throw .attestationNotVerified(error.reason) }
            // Wording of Azure/azure-sdk-for-js issue 21596; its status is not recorded.
            throw .skr(
                1012, "The specified attestation service \(VisibleText.shortened(authority)) cannot be reached.", personality,
                because: error.reason)
        }
        guard let keyID = jws.keyID else { throw .attestationNotVerified("the token names no key (kid)") }
        let candidates = keys.keys(withID: keyID)
        guard !candidates.isEmpty else { throw .attestationNotVerified("the token's key (kid) is not among the keys of \(authority)") }
        for candidate in candidates where (try? jws.verify(with: candidate.publicKey, algorithm: .rs256)) != nil { return }
        throw .attestationNotVerified("the token's RS256 signature does not verify with its key of \(authority)")
    }

    private static func checkTimes(_ claims: JSONCursor, now: Int64) throws(KeyStoreRefusal) {
        let expires: Int64
        let notBefore: Int64
        do {
            expires = try claims.numericDate("exp")
            notBefore = try claims.optionalNumericDate("nbf") ?? 0
        } catch { throw .attestationNotVerified("the token's times are not usable: \(error.description)") }
        guard expires >= now - clockSkew else { throw .attestationNotVerified("the token expired at \(RFC3339.spaced(expires))") }
        guard notBefore <= now + clockSkew else {
            throw .attestationNotVerified("the token is not valid before \(RFC3339.spaced(notBefore))")
        }
    }
}

/// Which key of the token receives the released one: the first RSA key for encryption in `x-ms-runtime.keys`
/// (KeyStores.md, "Choice of the wrapping key").
enum WrappingKeyChoice {
    /// Keys beyond this one are not looked at.
    static let maximumKeys = 100

    static func first(in claims: JSONObject) throws(KeyStoreRefusal) -> (keyID: String, key: PublicKey) {
        guard case .object(let runtime)? = claims["x-ms-runtime"], case .array(let keys)? = runtime["keys"] else {
            throw unusable("the token has no x-ms-runtime.keys")
        }
        for element in keys.prefix(maximumKeys) {
            guard case .object(let object) = element, isForEncryption(object), let key = try? JWK(JSONCursor(element)),
                case .rsa = key.publicKey.kind
            else { continue }
            return (key.kid ?? "", key.publicKey)
        }
        throw unusable("x-ms-runtime.keys has no RSA key for encryption among its \(keys.count)")
    }

    private static func isForEncryption(_ key: JSONObject) -> Bool {
        key["use"] == .string("enc") || holds(key["key_use"], "enc") || holds(key["key_ops"], "encrypt")
    }

    /// A list with that text, or the text itself.
    private static func holds(_ value: JSONValue?, _ text: String) -> Bool {
        if case .array(let elements)? = value { return elements.contains(.string(text)) }
        return value == .string(text)
    }

    private static func unusable(_ explanation: String) -> KeyStoreRefusal {
        .badParameter("The target environment attestation has no key to encrypt the released key with.", because: explanation)
    }
}
