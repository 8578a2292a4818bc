internal import Issuing
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// What a release answer says besides the key's description.
struct ReleaseAnswer: Sendable {
    let question: KeyStoreService.ReleaseQuestion
    /// `kid` of the token's key.
    let wrappingKeyID: String
    let ciphertext: [UInt8]
    let requestedVersion: String?
}

/// The signed answer to a release (KeyStores.md, "Vault and HSM" and "Release answer").
extension KeyStoreService {
    func sign(_ answer: ReleaseAnswer, _ record: KeyRecord, _ version: KeyVersion, _ call: Call) async throws(KeyStoreRefusal) -> String {
        let names = signerNames(call.host)
        let signer: ReleaseSigner
        do {
            signer = try await authority.releaseSigner(commonName: names.common, names: names.alternatives)
            // The HSM writes members in alphabetical order.
            let payload = payload(answer, record, version, call).serialized(sortedKeys: personality == .managedHSM)
            return try JWSBuilder.sign(header: header(signer), payload: payload, key: signer.key, algorithm: .rs256)
        } catch { throw KeyStoreRefusal(500, "InternalServerError", "The answer cannot be signed.", because: "\(error)") }
    }

    /// One certificate for all vaults of a cloud, one for each HSM.
    private func signerNames(_ host: String) -> (common: String, alternatives: [String]) {
        switch personality {
        case .vault:
            let suffix = String(host.drop { $0 != "." }.dropFirst())
            return (suffix, ["*." + suffix, suffix])
        case .managedHSM: return ("*." + host, ["*." + host, host])
        }
    }

    private func header(_ signer: ReleaseSigner) -> JSONObject {
        let sha256 = Base64.encodeURL(signer.leaf.sha256)
        let chain = JSONValue.array(signer.chain.map { .string(Base64.encode($0.der)) })
        switch personality {
        case .vault:
            let sha1 = DigestAlgorithm.sha1.digest(signer.leaf.der)
            return [
                "alg": "RS256", "kid": .string(Hex.encode(sha1).uppercased()), "x5t": .string(Base64.encodeURL(sha1)), "typ": "JWT",
                "x5t#S256": .string(sha256), "x5c": chain,
            ]
        case .managedHSM: return ["alg": "RS256", "kid": .string(sha256), "x5c": chain, "x5t#S256": .string(sha256)]
        }
    }

    private func payload(_ answer: ReleaseAnswer, _ record: KeyRecord, _ version: KeyVersion, _ call: Call) -> JSONValue {
        let algorithm = answer.question.algorithm.rawValue
        let requested = identifier(record, answer.requestedVersion == nil ? nil : version, call)
        var request: JSONObject = ["api-version": .string(call.apiVersion), "enc": .string(algorithm), "kid": .string(requested)]
        if let nonce = answer.question.nonce { request.set("nonce", .string(nonce)) }
        let wrapped: JSONValue = [
            "schema_version": "1.0", "header": ["kid": .string(answer.wrappingKeyID), "alg": "dir", "enc": .string(algorithm)],
            "ciphertext": .string(Base64.encodeURL(answer.ciphertext)),
        ]
        var key = publicKey(record, version, call, type: personality.releasedType(version.type))
        key.set("key_hsm", .string(Base64.encodeURL(wrapped.serialized(sortedKeys: personality == .managedHSM))))
        var bundle: JSONObject = [
            "key": .object(key), "attributes": .object(attributes(record, version)), "tags": .object(version.tags ?? [:]),
        ]
        if let policy = record.policy {
            bundle.set("release_policy", .object(describe(policy, withContentType: personality == .managedHSM)))
        }
        return ["request": .object(request), "response": ["key": .object(bundle)]]
    }
}
