internal import COpenSSL
public import SecureMemory

/// A long-lived signing key: of a simulator, of a fixture, or one that an operator imports. The broker's own wrapping keys are `WrappingKey`.
///
/// Immutable; may be used from several threads. The key is overwritten when the last reference goes away.
public final class PrivateKey: Sendable {
    /// The public half.
    public let publicKey: PublicKey
    let handle: KeyHandle

    init(_ handle: KeyHandle) throws(CryptoError) {
        self.handle = handle
        publicKey = try PublicKey(handle)
    }

    /// A new RSA key of 2048, 3072 or 4096 bits with the exponent 65537.
    public static func generateRSA(bits: Int) throws(CryptoError) -> PrivateKey {
        try PrivateKey(try RSAKeyGeneration.key(bits: bits))
    }

    /// A new EC key.
    public static func generateEC(_ curve: EllipticCurve) throws(CryptoError) -> PrivateKey {
        try PrivateKey(try ECKeyGeneration.key(curve))
    }

    /// Reads and checks PKCS#8 PrivateKeyInfo (RFC 5208) of an RSA or EC key.
    public convenience init(pkcs8DER der: UnsafeRawBufferPointer) throws(CryptoError) {
        try self.init(try KeyNumbers(pkcs8: der).key("reading a PKCS#8 private key"))
    }

    /// Reads and checks the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted.
    public convenience init(pem text: UnsafeRawBufferPointer) throws(CryptoError) {
        try self.init(try PEMPrivateKey.read(text))
    }

    /// Reads and checks the first private key of a PEM text. The caller stays responsible for wiping `text`.
    public convenience init(pem text: [UInt8]) throws(CryptoError) {
        let result: Result<KeyHandle, CryptoError> = text.withUnsafeBytes { bytes in
            do throws(CryptoError) { return .success(try PEMPrivateKey.read(bytes)) } catch {
                return .failure(error)
            }
        }
        try self.init(try result.get())
    }

    /// A checked RSA key from the numbers of a JWK.
    public convenience init(rsa numbers: RSAPrivateNumbers) throws(CryptoError) {
        let operation = "reading an RSA private key"
        try self.init(try RSAKeyNumbers(numbers).checked(operation).key(operation))
    }

    /// A checked EC key from the numbers of a JWK, each exactly of the curve's size.
    public convenience init(ec curve: EllipticCurve, d: [UInt8], x: [UInt8], y: [UInt8]) throws(CryptoError) {
        let operation = "reading an EC private key"
        try self.init(try CurveKeyNumbers(curve, d: d, x: x, y: y, operation).key(operation))
    }

    /// PKCS#8 PrivateKeyInfo (RFC 5208) in DER, what a key store wraps on release.
    public func pkcs8DER() throws(CryptoError) -> SecretBytes {
        let operation = "writing a private key"
        OpenSSLErrorQueue.clear()
        guard let info = EVP_PKEY2PKCS8(handle.pointer) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "the key has no PKCS#8 form")
        }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        let length = i2d_PKCS8_PRIV_KEY_INFO(info, nil)
        guard length > 0 else { throw OpenSSLErrorQueue.error(operation, otherwise: "the key has no PKCS#8 form") }
        return SecretBytes(capacity: Int(length)) { output in
            var cursor = output.bindMemory(to: UInt8.self).baseAddress
            return max(0, Int(i2d_PKCS8_PRIV_KEY_INFO(info, &cursor)))
        }
    }

    /// PEM text (RFC 7468) of `pkcs8DER()`, label `PRIVATE KEY`.
    public func pem() throws(CryptoError) -> SecretBytes {
        let der = try pkcs8DER()
        return der.withUnsafeBytes { PEMText.secret($0, label: "PRIVATE KEY") }
    }
}
