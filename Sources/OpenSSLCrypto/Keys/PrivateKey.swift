internal import COpenSSL
package import SecureMemory

/// A long-lived signing key: of a simulator, of a fixture, or one that an operator imports. The broker's own wrapping keys are
/// `WrappingKey`.
///
/// Immutable; may be used from several threads. The key is overwritten when the last reference goes away.
package final class PrivateKey: Sendable {
    /// The public half.
    package let publicKey: PublicKey
    package let handle: KeyHandle

    init(_ handle: KeyHandle) throws(CryptoError) {
        self.handle = handle
        publicKey = try PublicKey(handle)
    }

    /// A new RSA key of 2048, 3072 or 4096 bits with the exponent 65537.
    package static func generateRSA(bits: Int) throws(CryptoError) -> PrivateKey { try PrivateKey(try KeyGeneration.rsa(bits: bits)) }

    /// A new EC key.
    package static func generateEC(_ curve: EllipticCurve) throws(CryptoError) -> PrivateKey { try PrivateKey(try KeyGeneration.ec(curve)) }

    /// Reads and checks PKCS#8 PrivateKeyInfo (RFC 5208) of an RSA or EC key.
    package convenience init(pkcs8DER der: UnsafeRawBufferPointer) throws(CryptoError) {
        try self.init(try PrivateKeyReader.key(pkcs8: der))
    }

    /// Reads and checks the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted.
    package convenience init(pem text: UnsafeRawBufferPointer) throws(CryptoError) { try self.init(try PrivateKeyReader.key(pem: text)) }

    /// Reads and checks the first private key of a PEM text. The caller stays responsible for wiping `text`.
    package convenience init(pem text: [UInt8]) throws(CryptoError) {
        let key = text.withUnsafeBytes { bytes in Result { () throws(CryptoError) in try PrivateKeyReader.key(pem: bytes) } }
        try self.init(try key.get())
    }

    /// A checked RSA key from the numbers of a JWK.
    package convenience init(rsa numbers: RSAPrivateNumbers) throws(CryptoError) {
        let operation = "reading an RSA private key"
        var assembly = try KeyAssembly(operation)
        assembly.add(
            n: try BigNumber(numbers.n), e: try BigNumber(numbers.e), d: try BigNumber(numbers.d), p: try BigNumber(numbers.p),
            q: try BigNumber(numbers.q), dp: try BigNumber(numbers.dp), dq: try BigNumber(numbers.dq), qi: try BigNumber(numbers.qi))
        let key = try assembly.key(type: "RSA", hasPrivatePart: true)
        try PrivateKeyReader.requireSound(key, operation)
        try self.init(key)
    }

    /// A checked EC key from the numbers of a JWK, each exactly of the curve's size.
    package convenience init(ec curve: EllipticCurve, d: [UInt8], x: [UInt8], y: [UInt8]) throws(CryptoError) {
        let operation = "reading an EC private key"
        guard [d, x, y].allSatisfy({ $0.count == curve.coordinateByteCount }) else {
            let size = curve.coordinateByteCount
            throw CryptoError(operation: operation, reason: "a number of a \(curve.rawValue) key is not \(size) bytes")
        }
        var assembly = try KeyAssembly(operation)
        assembly.add(curve: curve, point: [0x04] + x + y)
        assembly.add(OSSL_PKEY_PARAM_PRIV_KEY, copyOf: try BigNumber(d))
        let key = try assembly.key(type: "EC", hasPrivatePart: true)
        try PrivateKeyReader.requireSound(key, operation)
        try self.init(key)
    }

    /// PKCS#8 PrivateKeyInfo (RFC 5208) in DER, what a key store wraps on release.
    package func pkcs8DER() throws(CryptoError) -> SecretBytes {
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
    package func pem() throws(CryptoError) -> SecretBytes {
        let der = try pkcs8DER()
        return der.withUnsafeBytes { PEMText.secret($0, label: "PRIVATE KEY") }
    }
}
