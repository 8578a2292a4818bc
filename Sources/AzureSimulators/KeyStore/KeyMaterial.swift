internal import OpenSSLCrypto
internal import SecureMemory

/// The secret part of a key.
enum KeyMaterial: Sendable {
    /// RSA or EC.
    case asymmetric(PrivateKey)
    case symmetric(SymmetricKey)

    /// Bytes of a symmetric key, held once and wiped with the last reference.
    final class SymmetricKey: Sendable {
        let bytes: SecretBytes

        init(_ bytes: consuming SecretBytes) {
            self.bytes = bytes
        }

        /// Copies; the caller stays responsible for wiping the original.
        convenience init(copying bytes: [UInt8]) {
            self.init(
                SecretBytes(capacity: bytes.count) { output in
                    output.copyBytes(from: bytes)
                    return bytes.count
                })
        }
    }

    /// Lends what a release wraps: PKCS#8 DER, or the raw bytes of a symmetric key (azure-protocols.md, section 2.7).
    func withPlaintext<Result>(
        _ body: (borrowing SecretBytes) throws(CryptoError) -> Result
    ) throws(CryptoError) -> Result {
        switch self {
        case .asymmetric(let key):
            let der = try key.pkcs8DER()
            return try body(der)
        case .symmetric(let key): return try body(key.bytes)
        }
    }

    /// A new key.
    static func generate(_ shape: Shape) throws(CryptoError) -> KeyMaterial {
        switch shape {
        case .rsa(let bits): .asymmetric(try PrivateKey.generateRSA(bits: bits))
        case .ec(let curve): .asymmetric(try PrivateKey.generateEC(curve))
        case .symmetric(let bits):
            .symmetric(
                SymmetricKey(
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
        case .asymmetric(let key):
            if case .ec = key.publicKey.kind { return ["sign", "verify"] }
            return ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
        }
    }
}
