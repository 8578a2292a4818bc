package import OpenSSLCrypto
package import StrictJSON

/// A public key as JSON Web Key (RFC 7517; RFC 7518, 6).
///
/// Key Vault's kinds `RSA-HSM` and `EC-HSM` are read like `RSA` and `EC`. An RSA key may give its certificate (`x5c`) instead of its
/// numbers, as Microsoft Azure Attestation does (AttestationService.md, "Published keys"); where both are there, they must agree.
package struct JWK: Sendable {
    package let kid: String?
    /// `RSA`, `RSA-HSM`, `EC` or `EC-HSM`.
    package let kty: String
    package let use: String?
    package let keyOperations: [String]?
    /// `alg`.
    package let algorithm: String?
    package let publicKey: PublicKey
    /// Certificates of `x5c`; none where there is no such member. Not checked against anything but the key's numbers.
    package let certificates: [Certificate]

    /// Reads one key.
    package init(_ cursor: JSONCursor) throws(JOSEError) {
        do {
            kty = try cursor.string("kty")
            kid = try cursor.optionalString("kid")
            use = try cursor.optionalString("use")
            algorithm = try cursor.optionalString("alg")
            if let operations = try cursor.optionalArray("key_ops") {
                var names: [String] = []
                for operation in operations { names.append(try operation.string()) }
                keyOperations = names
            } else {
                keyOperations = nil
            }
            if let chain = try cursor.optional("x5c") {
                certificates = try CertificateChain.parse(chain, maximumCount: JWS.maximumCertificates)
            } else {
                certificates = []
            }
            let own: PublicKey?
            switch kty {
            case "RSA", "RSA-HSM": own = try Self.rsaKey(cursor)
            case "EC", "EC-HSM": own = try Self.curveKey(cursor)
            default: throw JOSEError("the key is of an unknown kind (kty)")
            }
            publicKey = try Self.agreed(own, try certificates.first?.publicKey)
        } catch let error as JOSEError { throw error } catch let error as JSONError { throw JOSEError("the key", error) } catch let error
            as CryptoError
        { throw JOSEError("the key", error) } catch { throw JOSEError("the key cannot be read") }
        guard kty.hasPrefix("RSA") == (publicKey.rsaNumbers != nil) else {
            throw JOSEError("the key's certificate is for another kind of key (kty)")
        }
    }

    /// RFC 7638 thumbprint with SHA-256, base64url: the `kid` of the broker's wrapping keys.
    package static func thumbprint(rsa numbers: RSAPublicNumbers) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("e")
        writer.string(Base64.encodeURL(numbers.e))
        writer.key("kty")
        writer.string("RSA")
        writer.key("n")
        writer.string(Base64.encodeURL(numbers.n))
        writer.endObject()
        return Base64.encodeURL(DigestAlgorithm.sha256.digest(writer.bytes))
    }

    private static func agreed(_ own: PublicKey?, _ certified: PublicKey?) throws(JOSEError) -> PublicKey {
        switch (own, certified) {
        case (let own?, let certified?):
            guard own.subjectPublicKeyInfo == certified.subjectPublicKeyInfo else {
                throw JOSEError("the key's numbers and its certificate disagree")
            }
            return own
        case (let key?, nil), (nil, let key?): return key
        case (nil, nil): throw JOSEError("the key has neither numbers nor a certificate")
        }
    }

    /// `nil` when neither number is there; leading zero bytes, which Key Vault writes in `e`, are tolerated.
    private static func rsaKey(_ cursor: JSONCursor) throws -> PublicKey? {
        guard let n = try cursor.optional("n") else {
            guard try cursor.optional("e") == nil else { throw JOSEError("the key has an exponent and no modulus") }
            return nil
        }
        return try PublicKey(rsa: RSAPublicNumbers(n: try bytes(n), e: try bytes(try cursor.member("e"))))
    }

    private static func curveKey(_ cursor: JSONCursor) throws -> PublicKey? {
        guard let name = try cursor.optionalString("crv") else { return nil }
        guard let curve = EllipticCurve(rawValue: name) else { throw JOSEError("the key is on an unknown curve (crv)") }
        let x = try bytes(try cursor.member("x"))
        let y = try bytes(try cursor.member("y"))
        guard x.count == curve.coordinateByteCount, y.count == curve.coordinateByteCount else {
            throw JOSEError("the key's coordinates do not have the size of its curve")
        }
        return try PublicKey(ec: curve, x: x, y: y)
    }

    private static func bytes(_ cursor: JSONCursor) throws(JSONError) -> [UInt8] {
        let text = try cursor.string()
        guard text.utf8.last != UInt8(ascii: "=") else { throw cursor.invalid("padded with '='; base64url in keys has no padding") }
        guard let bytes = Base64.decodeURL(text), !bytes.isEmpty else {
            throw cursor.invalid("not canonical base64url")
        }
        return bytes
    }
}
