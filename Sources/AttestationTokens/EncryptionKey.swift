internal import OpenSSLCrypto
internal import StrictJSON

extension MAAToken {
    /// What is known of the key that a store wraps to.
    package struct EncryptionKey: Sendable, Equatable {
        package let kid: String?
        /// Size of the modulus in bytes: the length of one encrypted block.
        package let modulusByteCount: Int
    }

    /// The key that a store wraps to: the first RSA key for encryption in `x-ms-runtime.keys` (KeyStores.md, "Choice of the wrapping
    /// key"); `nil` where the token names no such key in this form.
    package var encryptionKey: EncryptionKey? {
        guard case .object(let runtime)? = runtimeClaim, case .array(let keys)? = runtime["keys"] else { return nil }
        for case .object(let key) in keys where Self.isForEncryption(key) {
            guard let n = key.text("n").flatMap(Base64.decodeURL)?.drop(while: { $0 == 0 }), (256...2048).contains(n.count) else {
                return nil
            }
            return EncryptionKey(kid: key.text("kid"), modulusByteCount: n.count)
        }
        return nil
    }

    private static func isForEncryption(_ key: JSONObject) -> Bool {
        guard key.text("kty") == "RSA" else { return false }
        return key.text("use") == "enc" || key.texts("key_ops").contains("encrypt") || key.texts("key_use").contains("enc")
    }
}

extension JSONObject {
    /// The strings of a member that is a list of strings or one string.
    fileprivate func texts(_ name: String) -> [String] {
        switch self[name] {
        case .string(let text)?: [text]
        case .array(let elements)?: elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: []
        }
    }
}
