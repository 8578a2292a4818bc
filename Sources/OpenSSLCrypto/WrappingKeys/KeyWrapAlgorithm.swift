/// How a key store wraps a released key; the raw value is the `enc` of the release request (Key Vault REST,
/// `JsonWebKeyEncryptionAlgorithm`).
///
/// All three are `RSA-OAEP(kek) || AES-KWP(kek, key)` with a random 256-bit `kek` and an empty label; they differ in the hash of OAEP and
/// of its MGF1.
public enum KeyWrapAlgorithm: String, Sendable, CaseIterable {
    /// SHA-256.
    case rsaAESKeyWrap256 = "RSA_AES_KEY_WRAP_256"
    /// SHA-384.
    case rsaAESKeyWrap384 = "RSA_AES_KEY_WRAP_384"
    /// SHA-1.
    case ckmRSAAESKeyWrap = "CKM_RSA_AES_KEY_WRAP"

    /// Hash function of OAEP and of MGF1.
    package var digest: DigestAlgorithm {
        switch self {
        case .ckmRSAAESKeyWrap: .sha1
        case .rsaAESKeyWrap256: .sha256
        case .rsaAESKeyWrap384: .sha384
        }
    }
}
