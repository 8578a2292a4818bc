public import OpenSSLCrypto

/// What a key store released: a key that only the holder of the wrapping key can open.
public struct WrappedKey: Sendable {
    /// What the ciphertext holds once opened.
    public enum KeyType: String, Sendable {
        /// PKCS#8 DER of an RSA private key.
        case rsa = "RSA"
        /// PKCS#8 DER of an EC private key.
        case ec = "EC"
        /// The raw bytes of a symmetric key.
        case oct = "oct"
    }

    /// The key's identifier as the store wrote it, always with a version.
    public let keyID: String
    public let type: KeyType
    /// JWK `key_ops` of the released key, in the store's order.
    public let operations: [String]
    /// Algorithm that the store used, checked against the one asked for.
    public let algorithm: KeyWrapAlgorithm
    /// `RSA-OAEP(kek) || AES-KWP(kek, key)`.
    public let ciphertext: [UInt8]
    /// Public part of the released key where the store sent one, to be compared with what the ciphertext holds.
    public let publicPart: PublicPart?

    /// Public numbers, big-endian, without leading zero bytes for RSA and of the curve's size for EC.
    public enum PublicPart: Sendable, Equatable {
        case rsa(n: [UInt8], e: [UInt8])
        case ec(curve: String, x: [UInt8], y: [UInt8])
    }

    public init(
        keyID: String, type: KeyType, operations: [String], algorithm: KeyWrapAlgorithm, ciphertext: [UInt8], publicPart: PublicPart?
    ) {
        self.keyID = keyID
        self.type = type
        self.operations = operations
        self.algorithm = algorithm
        self.ciphertext = ciphertext
        self.publicPart = publicPart
    }
}
