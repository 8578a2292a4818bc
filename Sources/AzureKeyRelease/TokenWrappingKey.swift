internal import BrokerCore
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON
internal import Synchronization

/// The key that a store wraps to: the first RSA key for encryption in the token's `x-ms-runtime.keys`
/// (KeyStores.md, "Choice of the wrapping key").
///
/// The token was verified by whoever made the `AttestationToken`; here it only says what the answer has to look like.
struct TokenWrappingKey: Sendable, Equatable {
    let kid: String?
    /// Size of the modulus in bytes: the length of the ciphertext's first part.
    let modulusByteCount: Int

    /// `nil` where the token names no such key in this form.
    init?(_ token: AttestationToken) {
        guard let jws = try? JWS(compact: token.compact, maximumBytes: 64 * 1024),
            let payload = try? jws.payload(limits: JSONLimits(maximumBytes: 64 * 1024, bigIntegers: .asReal)),
            let keys = try? payload.member("x-ms-runtime").member("keys").array()
        else { return nil }
        for key in keys where Self.isForEncryption(key) {
            guard let text = try? key.string("n"), let n = Base64.decodeURL(text) else { return nil }
            let minimal = n.drop { $0 == 0 }
            guard (256...2048).contains(minimal.count) else { return nil }
            kid = try? key.optionalString("kid")
            modulusByteCount = minimal.count
            return
        }
        return nil
    }

    private static func isForEncryption(_ key: JSONCursor) -> Bool {
        guard (try? key.string("kty")) == "RSA" else { return false }
        if (try? key.optionalString("use")) == "enc" { return true }
        if let operations = try? key.optionalArray("key_ops") { return operations.contains { (try? $0.string()) == "encrypt" } }
        return key.value.members("key_use").contains("enc")
    }
}

extension JSONValue {
    /// The strings of a member that is a list of strings or one string.
    fileprivate func members(_ name: String) -> [String] {
        guard case .object(let object) = self else { return [] }
        switch object[name] {
        case .string(let text)?: return [text]
        case .array(let elements)?: return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: return []
        }
    }
}

/// Remembers what the last token says: a release session presents the same one again and again.
final class LastTokenKey: Sendable {
    private let last = Mutex<(compact: String, key: TokenWrappingKey?)?>(nil)

    func key(of token: AttestationToken) -> TokenWrappingKey? {
        if let last = last.withLock({ $0 }), last.compact == token.compact { return last.key }
        let key = TokenWrappingKey(token)
        last.withLock { $0 = (token.compact, key) }
        return key
    }
}
