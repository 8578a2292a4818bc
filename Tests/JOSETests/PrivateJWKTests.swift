import JOSE
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

@Suite struct PrivateJWKTests {
    private static func text(_ secret: borrowing SecretBytes) -> String { secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    /// The key of RFC 7515, A.3.
    @Test func writesACurveKeyExactly() throws {
        let (x, y, d) = RFC7515.es256Key
        let key = try PrivateKey(ec: .p256, d: RFC7515.bytes(d), x: RFC7515.bytes(x), y: RFC7515.bytes(y))
        let numbers = try PrivateKeyNumbers(pkcs8DER: try key.pkcs8DER())
        #expect(
            Self.text(PrivateJWK.encode(numbers, keyOperations: []))
                == "{\"crv\":\"P-256\",\"d\":\"\(d)\",\"kty\":\"EC\",\"x\":\"\(x)\",\"y\":\"\(y)\"}")
        #expect(
            Self.text(PrivateJWK.encode(numbers, keyOperations: ["sign", "a\"b"]))
                == "{\"crv\":\"P-256\",\"d\":\"\(d)\",\"key_ops\":[\"sign\",\"a\\\"b\"],\"kty\":\"EC\",\"x\":\"\(x)\",\"y\":\"\(y)\"}")
    }

    @Test(arguments: EllipticCurve.allCases) func curveNumbersHaveTheSizeOfTheCurve(curve: EllipticCurve) throws {
        let key = try PrivateKey.generateEC(curve)
        let cursor = try JSONCursor.parse(
            Array(Self.text(PrivateJWK.encode(try PrivateKeyNumbers(pkcs8DER: try key.pkcs8DER()), keyOperations: [])).utf8))
        for name in ["d", "x", "y"] { #expect(try RFC7515.bytes(try cursor.string(name)).count == curve.coordinateByteCount) }
        #expect(try JWK(cursor).publicKey.subjectPublicKeyInfo == key.publicKey.subjectPublicKeyInfo)
    }

    @Test func anRSAKeyComesBackFromItsJWK() throws {
        let key = try SampleKeys.rsa.get()
        let numbers = try PrivateKeyNumbers(pkcs8DER: try key.pkcs8DER())
        let text = Self.text(PrivateJWK.encode(numbers, keyOperations: ["decrypt", "unwrapKey"]))
        let cursor = try JSONCursor.parse(Array(text.utf8))
        #expect(try cursor.object().keys == ["d", "dp", "dq", "e", "key_ops", "kty", "n", "p", "q", "qi"])
        #expect(try cursor.array("key_ops").map { try $0.string() } == ["decrypt", "unwrapKey"])
        // Byte-exact: what a parser read is written again in the same way.
        #expect(String(decoding: cursor.value.serialized(), as: UTF8.self) == text)
        func number(_ name: String) throws -> [UInt8] { try RFC7515.bytes(try cursor.string(name)) }
        for name in ["d", "dp", "dq", "p", "q", "qi", "n", "e"] {
            #expect(try number(name).first != 0)
            let written = try number(name)
            numbers.withNumber(name) { bytes in #expect(bytes.elementsEqual(written)) }
        }
        let back = try PrivateKey(
            rsa: RSAPrivateNumbers(
                n: number("n"), e: number("e"), d: number("d"), p: number("p"), q: number("q"), dp: number("dp"), dq: number("dq"),
                qi: number("qi")))
        let message = Array("message".utf8)
        let signature = try back.sign(message, algorithm: .rsaPKCS1(.sha256))
        #expect(key.publicKey.verifies(signature, of: message, algorithm: .rsaPKCS1(.sha256)))
    }

    @Test(arguments: [0, 1, 2, 3, 16, 32, 1000]) func writesASymmetricKey(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let secret = SecretBytes(capacity: count) { memory in
            memory.copyBytes(from: bytes)
            return count
        }
        let k = Base64.encodeURL(bytes)
        #expect(Self.text(PrivateJWK.encode(symmetric: secret, keyOperations: [])) == #"{"k":"\#(k)","kty":"oct"}"#)
        let operations = ["encrypt", "decrypt"]
        #expect(
            Self.text(PrivateJWK.encode(symmetric: secret, keyOperations: operations))
                == #"{"k":"\#(k)","key_ops":["encrypt","decrypt"],"kty":"oct"}"#)
    }
}
