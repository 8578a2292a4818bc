internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// POST /keys/{name}/{version}/securewrapkey and …/secureunwrapkey of a Managed HSM: a key that the HSM makes, wrapped for whoever can
/// show an attestation that the wrapping key's policy admits (KeyStores.md, "Secure wrap").
extension KeyStoreService {
    static let secureOperations = ["secureWrapKey", "secureUnwrapKey"]

    func secureWrap(_ name: String, version: String?, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let algorithm = try secureAlgorithm(try document(call), call)
        let (record, found) = try usable(name, version, Self.secureOperations[0], call)
        let secret = KeyMaterial.Secret(copying: SecureRandom.bytes(32))
        let wrapped: [UInt8]
        do { wrapped = try algorithm.wrap(secret, with: found.material) } catch { throw Self.unfit(algorithm, error) }
        return secureAnswer(record, found, algorithm, wrapped, call)
    }

    func secureUnwrap(_ name: String, version: String?, _ call: Call) async throws(KeyStoreRefusal) -> SimulatorResponse {
        let body = try document(call)
        let algorithm = try secureAlgorithm(body, call)
        let wrapped: [UInt8]
        let target: String
        do throws(JSONError) {
            let value = try body.member("value")
            guard let bytes = Base64.decodeURL(try value.string()), !bytes.isEmpty else { throw value.invalid("not base64url") }
            wrapped = bytes
            target = try body.string("target")
        } catch { throw .badParameter("Property has invalid value: \(error.description)") }
        let (record, found) = try usable(name, version, Self.secureOperations[1], call)
        guard let policy = record.policy?.policy else { throw .forbidden("The key has no release policy.") }
        _ = try await verifiedClaims(target, policy, now: call.now)
        let secret: KeyMaterial.Secret
        do { secret = try algorithm.unwrap(wrapped, with: found.material) } catch { throw Self.unfit(algorithm, error) }
        return secureAnswer(record, found, algorithm, secret.bytes.withUnsafeBytes { Array($0) }, call)
    }

    private func secureAlgorithm(_ body: JSONCursor, _ call: Call) throws(KeyStoreRefusal) -> SecureWrapAlgorithm {
        guard personality == .managedHSM, KeyAPIVersion.hasSecureWrap(call.apiVersion) else {
            throw .badParameter(
                "Secure wrap is not supported.", because: "it is an operation of Managed HSMs, with api-version 2026-01-01-preview or later"
            )
        }
        do throws(JSONError) {
            let name = try body.member("alg")
            guard let algorithm = SecureWrapAlgorithm(rawValue: try name.string()) else { throw name.invalid("unknown algorithm") }
            return algorithm
        } catch { throw .badParameter("Property has invalid value: \(error.description)") }
    }

    private func usable(_ name: String, _ version: String?, _ operation: String, _ call: Call) throws(KeyStoreRefusal) -> (
        record: KeyRecord, version: KeyVersion
    ) {
        let found = try find(name, version: version, call)
        try Self.checkUsable(found.version, for: operation, at: call.now)
        guard found.version.operations.contains(operation) else {
            throw .forbidden("Operation \(operation) is not permitted on this key.", inner: "KeyOperationForbidden")
        }
        return found
    }

    private static func unfit(_ algorithm: SecureWrapAlgorithm, _ error: any Error) -> KeyStoreRefusal {
        .badParameter("Property has invalid value: alg or value", because: "\(algorithm.rawValue): \(error)")
    }

    private func secureAnswer(
        _ record: KeyRecord, _ version: KeyVersion, _ algorithm: SecureWrapAlgorithm, _ value: [UInt8], _ call: Call
    ) -> SimulatorResponse {
        SimulatorResponse(json: [
            "kid": .string(identifier(record, version, call)), "alg": .string(algorithm.rawValue),
            "value": .string(Base64.encodeURL(value)),
        ])
    }
}

/// How a secure wrap wraps.
enum SecureWrapAlgorithm: String, CaseIterable, Sendable {
    case rsaOAEP256 = "RSA-OAEP-256"
    case a128KW = "A128KW"
    case a192KW = "A192KW"
    case a256KW = "A256KW"
    case a128KWPAD = "A128KWPAD"
    case a192KWPAD = "A192KWPAD"
    case a256KWPAD = "A256KWPAD"
    case ckmAESKeyWrap = "CKM_AES_KEY_WRAP"
    case ckmAESKeyWrapPad = "CKM_AES_KEY_WRAP_PAD"

    private var isPadded: Bool { self == .ckmAESKeyWrapPad || rawValue.hasSuffix("KWPAD") }

    /// Bytes of the wrapping key; any size of AES for the names of PKCS #11.
    private var keyByteCount: Int? {
        switch self {
        case .a128KW, .a128KWPAD: 16
        case .a192KW, .a192KWPAD: 24
        case .a256KW, .a256KWPAD: 32
        case .rsaOAEP256, .ckmAESKeyWrap, .ckmAESKeyWrapPad: nil
        }
    }

    func wrap(_ secret: KeyMaterial.Secret, with key: KeyMaterial) throws(CryptoError) -> [UInt8] {
        switch (self, key) {
        case (.rsaOAEP256, .asymmetric(let key, _)): try KeyWrap.oaepWrap(secret.bytes, to: key.publicKey, digest: .sha256)
        case (.rsaOAEP256, _), (_, .asymmetric): throw Self.otherKey
        case (_, .symmetric(let kek)): try KeyWrap.aesWrap(kek: try fitting(kek).bytes, plaintext: secret.bytes, isPadded: isPadded)
        }
    }

    func unwrap(_ wrapped: [UInt8], with key: KeyMaterial) throws(CryptoError) -> KeyMaterial.Secret {
        switch (self, key) {
        case (.rsaOAEP256, .asymmetric(let key, _)): KeyMaterial.Secret(try KeyWrap.oaepUnwrap(wrapped, with: key, digest: .sha256))
        case (.rsaOAEP256, _), (_, .asymmetric): throw Self.otherKey
        case (_, .symmetric(let kek)):
            KeyMaterial.Secret(try KeyWrap.aesUnwrap(kek: try fitting(kek).bytes, ciphertext: wrapped, isPadded: isPadded))
        }
    }

    private func fitting(_ key: KeyMaterial.Secret) throws(CryptoError) -> KeyMaterial.Secret {
        guard keyByteCount == nil || keyByteCount == key.bytes.count else { throw Self.otherKey }
        return key
    }

    private static let otherKey = CryptoError(operation: "wrapping a key", reason: "the algorithm does not fit the key")
}
