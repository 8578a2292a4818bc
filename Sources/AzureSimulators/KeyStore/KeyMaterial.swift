internal import OpenSSLCrypto
internal import SecureMemory

/// The secret part of a key.
enum KeyMaterial: Sendable {
    /// RSA or EC, with its PKCS#8 DER, so that it is not encoded at every release.
    case asymmetric(PrivateKey, pkcs8: Secret)
    case symmetric(Secret)

    /// Bytes of a key, held once and wiped with the last reference.
    final class Secret: Sendable {
        let bytes: SecretBytes

        init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

        /// Copies; the caller stays responsible for wiping the original.
        convenience init(copying bytes: [UInt8]) {
            self.init(
                SecretBytes(capacity: bytes.count) { output in
                    output.copyBytes(from: bytes)
                    return bytes.count
                })
        }
    }

    init(_ key: PrivateKey) throws(CryptoError) { self = .asymmetric(key, pkcs8: Secret(try key.pkcs8DER())) }

    /// What a release wraps: PKCS#8 DER, or the raw bytes of a symmetric key (KeyStores.md, "Key wrapping").
    var plaintext: Secret {
        switch self {
        case .asymmetric(_, let secret), .symmetric(let secret): secret
        }
    }

    /// A new key.
    static func generate(_ shape: Shape) throws(CryptoError) -> KeyMaterial {
        switch shape {
        case .rsa(let bits): try KeyMaterial(PrivateKey.generateRSA(bits: bits))
        case .ec(let curve): try KeyMaterial(PrivateKey.generateEC(curve))
        case .symmetric(let bits):
            .symmetric(
                Secret(
                    SecretBytes(capacity: bits / 8) { output in
                        output.copyBytes(from: SecureRandom.bytes(bits / 8))
                        return bits / 8
                    }))
        }
    }

    /// What a new key is to be.
    enum Shape: Sendable, Equatable {
        case rsa(bits: Int)
        case ec(EllipticCurve)
        case symmetric(bits: Int)
    }

    /// The operations that a key has when none were asked for.
    var defaultOperations: [String] {
        switch self {
        case .symmetric: return ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
        case .asymmetric(let key, _):
            if case .ec = key.publicKey.kind { return ["sign", "verify"] }
            return ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
        }
    }
}
