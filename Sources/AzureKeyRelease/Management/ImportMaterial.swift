internal import JOSE
public import OpenSSLCrypto
public import SecureMemory
internal import StrictJSON

/// What is imported: a key pair or a symmetric key.
public enum ImportMaterial: ~Copyable, Sendable {
    case symmetric(SecretBytes)
    case pair(PrivateKey)

    /// Most bytes of a symmetric key that a Managed HSM takes (azure-protocols 2.1).
    public static let maximumSymmetricBytes = 64

    /// The private JWK of an import request (azure-protocols 2.4), as UTF-8 JSON.
    borrowing func jwk(operations: [String]?) throws(CryptoError) -> SecretBytes {
        switch self {
        case .symmetric(let secret):
            return secret.withUnsafeBytes { bytes in
                let head =
                    Array("{\"kty\":\"oct-HSM\",\"key_size\":\(bytes.count * 8)".utf8)
                    + Self.member(operations) + Array(",\"k\":\"".utf8)
                let tail = Array("\"}".utf8)
                let encoded = Base64.encodedURLCount(of: bytes.count)
                return SecretBytes(capacity: head.count + encoded + tail.count) { output in
                    output.copyBytes(from: head)
                    _ = Base64.encodeURL(
                        bytes, into: UnsafeMutableRawBufferPointer(rebasing: output[head.count...]))
                    UnsafeMutableRawBufferPointer(rebasing: output[(head.count + encoded)...]).copyBytes(from: tail)
                    return head.count + encoded + tail.count
                }
            }
        case .pair(let key):
            let numbers = try PrivateKeyNumbers(key)
            let plain = PrivateJWK.encode(numbers, keyOperations: operations ?? [])
            // The encoder writes the types of RFC 7518, a key store names what its hardware protects.
            let (from, to) =
                numbers.kind == .rsa
                ? ("\"kty\":\"RSA\"", "\"kty\":\"RSA-HSM\"") : ("\"kty\":\"EC\"", "\"kty\":\"EC-HSM\"")
            return plain.withUnsafeBytes { Self.replacing(Array(from.utf8), with: Array(to.utf8), in: $0) }
        }
    }

    private static func member(_ operations: [String]?) -> [UInt8] {
        guard let operations else { return [] }
        return Array(",\"key_ops\":".utf8) + JSONValue.array(operations.map { .string($0) }).serialized()
    }

    private static func replacing(
        _ old: [UInt8], with new: [UInt8], in text: UnsafeRawBufferPointer
    ) -> SecretBytes {
        let place = (0...max(0, text.count - old.count)).first { text[$0...].starts(with: old) }
        guard let place else { return SecretBytes(copying: text) }
        return SecretBytes(capacity: text.count - old.count + new.count) { output in
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: text[..<place]))
            UnsafeMutableRawBufferPointer(rebasing: output[place...]).copyBytes(from: new)
            UnsafeMutableRawBufferPointer(rebasing: output[(place + new.count)...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: text[(place + old.count)...]))
            return text.count - old.count + new.count
        }
    }
}
