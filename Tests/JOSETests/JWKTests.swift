import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite struct JWKTests {
    /// RFC 7638, 3.1.
    @Test func thumbprintOfRFC7638() throws {
        let n = """
            0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o\
            knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZH\
            zu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEg\
            U8awapJzKnqDKgw
            """
        let key = try JWK(JSONCursor(["kty": "RSA", "n": .string(n), "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"]))
        let numbers = try #require(key.publicKey.rsaNumbers)
        #expect(JWK.thumbprint(rsa: numbers) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(key.kid == "2011-04-29")
        #expect(key.algorithm == "RS256")
    }

    @Test func readsTheKindsOfKeyVault() throws {
        let key = try JWK(
            JSONCursor([
                "kid": "https://contoso.vault.azure.net/keys/k1/d00a", "kty": "RSA-HSM", "key_ops": ["encrypt", "decrypt"],
                "n": .string(RFC7515.rsaModulus), "e": "AAEAAQ", "use": nil,
            ]))
        #expect(key.publicKey.rsaNumbers?.e == [1, 0, 1])
        #expect(key.keyOperations == ["encrypt", "decrypt"])
        #expect(key.use == nil)
        let curve = try JWK(
            JSONCursor(["kty": "EC-HSM", "crv": "P-256", "x": .string(RFC7515.es256Key.x), "y": .string(RFC7515.es256Key.y)]))
        #expect(curve.publicKey.kind == .ec(.p256))
    }

    @Test func refusesMalformedKeys() throws {
        let n = JSONValue.string(RFC7515.rsaModulus)
        let x = JSONValue.string(RFC7515.es256Key.x)
        let y = JSONValue.string(RFC7515.es256Key.y)
        let bad: [JSONValue] = [
            [], [:], ["kty": nil], ["kty": "oct", "k": "AA"], ["kty": "rsa", "n": n, "e": "AQAB"], ["kty": "RSA"], ["kty": "RSA", "n": n],
            ["kty": "RSA", "e": "AQAB"], ["kty": "RSA", "n": n, "e": ""], ["kty": "RSA", "n": n, "e": "AA"],
            ["kty": "RSA", "n": n, "e": "AQ"], ["kty": "RSA", "n": n, "e": "AQAC"], ["kty": "RSA", "n": "", "e": "AQAB"],
            ["kty": "RSA", "n": "AA", "e": "AQAB"], ["kty": "RSA", "n": .string(RFC7515.rsaModulus + "="), "e": "AQAB"],
            ["kty": "RSA", "n": n, "e": "AQAB="], ["kty": "RSA", "n": n, "e": 65537], ["kty": "RSA", "n": n, "e": "AQAB", "kid": 1],
            ["kty": "RSA", "n": n, "e": "AQAB", "key_ops": "encrypt"], ["kty": "RSA", "n": n, "e": "AQAB", "key_ops": [1]], ["kty": "EC"],
            ["kty": "EC", "crv": "P-256", "x": x], ["kty": "EC", "crv": "P-256", "x": y, "y": x],
            ["kty": "EC", "crv": "P-384", "x": x, "y": y], ["kty": "EC", "crv": "secp256k1", "x": x, "y": y],
            ["kty": "EC", "crv": "P-256", "x": "AA", "y": y], ["kty": "EC", "crv": "P-256", "x": x, "y": ""],
            ["kty": "OKP", "crv": "Ed25519", "x": x],
        ]
        for (index, value) in bad.enumerated() { #expect(throws: JOSEError.self, "\(index)") { try JWK(JSONCursor(value)) } }
    }

    @Test func setsSkipKeysTheyCannotUseAndFindTheOthersByTheirExactID() throws {
        let key = JSONValue.object(["kty": "RSA", "n": .string(RFC7515.rsaModulus), "e": "AQAB", "kid": "dRKh+hBc/g="])
        let sameID = JSONValue.object([
            "kty": "EC", "crv": "P-256", "x": .string(RFC7515.es256Key.x), "y": .string(RFC7515.es256Key.y), "kid": "dRKh+hBc/g=",
        ])
        let bytes = (["keys": [["kty": "OKP"], key, ["kty": "RSA"], sameID, ["kid": "K", "kty": "oct"]]] as JSONValue).serialized()
        let set = try JWKSet(parsing: bytes, maximumKeys: 5)
        #expect(set.keys.count == 2)
        #expect(set.skipped.count == 3)
        #expect(set.keys(withID: "dRKh+hBc/g=").map(\.kty) == ["RSA", "EC"])
        for other in ["dRKh-hBc_g", "drkh+hbc/g=", "dRKh+hBc/g", "", "K"] { #expect(set.keys(withID: other).isEmpty) }
        #expect(throws: JOSEError.self) { try JWKSet(parsing: bytes, maximumKeys: 4) }
    }

    @Test(arguments: ["", "[]", "{}", "{\"keys\":null}", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[],\"keys\":[]}", "<html>"])
    func whatIsNoSetIsRefused(text: String) { #expect(throws: JOSEError.self) { try JWKSet(parsing: Array(text.utf8), maximumKeys: 10) } }
}
