internal import JOSE
package import OpenSSLCrypto
package import SecureMemory
internal import StrictJSON

/// What is imported: a key pair or a symmetric key.
package enum ImportMaterial: ~Copyable, Sendable {
    case symmetric(SecretBytes)
    case pair(PrivateKey)

    /// Most bytes of a symmetric key that a Managed HSM takes (KeyStores.md, "Vault and HSM").
    package static let maximumSymmetricBytes = 64

    var isSymmetric: Bool {
        switch self {
        case .symmetric: true
        case .pair: false
        }
    }

    /// The private JWK of an import request (KeyStores.md, "Import"), as UTF-8 JSON.
    borrowing func jwk(operations: [String]?) throws(CryptoError) -> SecretBytes {
        switch self {
        case .symmetric(let secret):
            return secret.withUnsafeBytes { bytes in
                let head =
                    Array("{\"kty\":\"oct-HSM\",\"key_size\":\(bytes.count * 8)".utf8) + Self.member(operations) + Array(",\"k\":\"".utf8)
                let tail = Array("\"}".utf8)
                let encoded = Base64.encodedURLCount(of: bytes.count)
                return SecretBytes(capacity: head.count + encoded + tail.count) { output in
                    output.copyBytes(from: head)
                    _ = Base64.encodeURL(bytes, into: UnsafeMutableRawBufferPointer(rebasing: output[head.count...]))
                    UnsafeMutableRawBufferPointer(rebasing: output[(head.count + encoded)...]).copyBytes(from: tail)
                    return head.count + encoded + tail.count
                }
            }
        case .pair(let key):
            let numbers = try PrivateKeyNumbers(key)
            // A key store names what its hardware protects.
            return PrivateJWK.encode(
                numbers, keyOperations: operations ?? [], keyType: numbers.kind == .rsa ? "RSA-HSM" : "EC-HSM")
        }
    }

    private static func member(_ operations: [String]?) -> [UInt8] {
        guard let operations else { return [] }
        return Array(",\"key_ops\":".utf8) + JSONValue.array(operations.map { .string($0) }).serialized()
    }

    /// The body of an import: `head`, the private JWK and `tail`.
    borrowing func body(_ head: String, operations: [String]?, _ tail: String) throws(CryptoError) -> SecretBytes {
        let jwk = try jwk(operations: operations)
        let (head, tail) = (Array(head.utf8), Array(tail.utf8))
        return jwk.withUnsafeBytes { key in
            SecretBytes(capacity: head.count + key.count + tail.count) { output in
                output.copyBytes(from: head)
                UnsafeMutableRawBufferPointer(rebasing: output[head.count...]).copyMemory(from: key)
                UnsafeMutableRawBufferPointer(rebasing: output[(head.count + key.count)...]).copyBytes(from: tail)
                return output.count
            }
        }
    }
}
