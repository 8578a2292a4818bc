internal import Issuing
internal import BrokerCore
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// A decoded POST /attest/SevSnpVm body (AttestationService.md, "Attest request").
struct AttestRequest {
    let report: [UInt8]
    let runtime: [UInt8]
    let isJSON: Bool
    let nonce: String?

    init(_ body: [UInt8]) throws {
        let request = try JSONCursor.parse(body)
        let data = try request.member("runtimeData")
        runtime = try Self.decoded(data.member("data"))
        isJSON = try data.string("dataType") == "JSON"
        nonce = try request.optionalString("nonce")
        let bundle = try JSONCursor.parse(try Self.decoded(request.member("report")))
        report = try Self.decoded(bundle.member("SnpReport"))
        let chain = String(decoding: try Self.decoded(bundle.member("VcekCertChain")), as: UTF8.self)
        guard chain.hasPrefix("-----BEGIN CERTIFICATE-----\n"), chain.hasSuffix("-----END CERTIFICATE-----\n") else {
            throw bundle.invalid("the certificate chain is not concatenated PEM")
        }
        guard report.count == 1184 else { throw bundle.invalid("the report has another length than 1184") }
        guard Array(report[0x50..<0x90]) == ReportData(sha256Of: runtime).bytes else {
            throw request.invalid("the report does not commit to the runtime data")
        }
    }

    private static func decoded(_ cursor: JSONCursor) throws -> [UInt8] {
        guard let bytes = Base64.decodeURL(try cursor.string()) else { throw cursor.invalid("not base64url") }
        return bytes
    }
}

/// Makes tokens with the claims of AttestationService.md, "Claims", good ones and bad ones.
struct TokenForge {
    let issuer: String
    let keyID: String
    let signer: PrivateKey
    let stranger: PrivateKey
    let now: Int64

    func token(for request: AttestRequest, _ how: AuthorityMisbehaviour?) throws -> String {
        let payload = JSONValue.object(try claims(request, how)).serialized()
        var header: JSONObject = ["alg": "RS256", "jku": .string(issuer + "/certs"), "kid": .string(keyID), "typ": "JWT"]
        var key = signer
        switch how {
        case .signedByAnotherKey: key = stranger
        case .unsigned:
            header.set("alg", "none")
            return JWSBuilder.unsecured(header: header, payload: payload)
        case .symmetricAlgorithm: return relabelled(header, payload, "HS256")
        case .otherAlgorithm:
            header.set("alg", "RS384")
            return try JWSBuilder.sign(header: header, payload: payload, key: signer, algorithm: .rs384)
        case .unknownKeyID: header.set("kid", "nobody")
        case .missingKeyID: header.remove("kid")
        case .embeddedKey:
            // Signed correctly with a key that the token itself brings: neither jwk nor jku may be believed.
            key = stranger
            header.set("kid", "embedded")
            header.set("jku", "https://evil.example/certs")
            if let numbers = stranger.publicKey.rsaNumbers {
                header.set(
                    "jwk",
                    ["kty": "RSA", "kid": "embedded", "n": .string(Base64.encodeURL(numbers.n)), "e": .string(Base64.encodeURL(numbers.e))])
            }
        case .emptyToken: return ""
        case .hugeToken: return String(repeating: "a", count: 80 * 1024) + ".b.c"
        default: break
        }
        let token = try JWSBuilder.sign(header: header, payload: payload, key: key, algorithm: .rs256)
        switch how {
        case .truncatedToken: return String(token.dropLast(30))
        case .fourPartToken: return token + ".AAAA"
        case .tamperedPayload: return tampered(token)
        default: return token
        }
    }

    private func claims(_ request: AttestRequest, _ how: AuthorityMisbehaviour?) throws -> JSONObject {
        var claims: JSONObject = [
            "iss": .string(issuer), "iat": .integer(now), "nbf": .integer(now), "exp": .integer(now + 28_800),
            "jti": .string(SecureRandom.hex(32)), "x-ms-ver": "1.0", "x-ms-attestation-type": "sevsnpvm",
            "x-ms-sevsnpvm-reportdata": .string(Hex.encode(request.report[0x50..<0x90])),
            "x-ms-sevsnpvm-launchmeasurement": .string(Hex.encode(request.report[0x90..<0xC0])),
            "x-ms-sevsnpvm-hostdata": .string(Hex.encode(request.report[0xC0..<0xE0])), "x-ms-sevsnpvm-is-debuggable": .boolean(false),
            "x-ms-sevsnpvm-vmpl": 0,
        ]
        if request.isJSON { claims.set("x-ms-runtime", try runtime(request.runtime, how)) }
        if let nonce = request.nonce { claims.set("nonce", .string(nonce)) }
        switch how {
        case .foreignIssuer: claims.set("iss", "https://sharedeus.eus.attest.example")
        case .lookAlikeIssuer: claims.set("iss", .string(issuer + ".evil.example"))
        case .missingIssuer: claims.remove("iss")
        case .expired: claims.set("exp", .integer(now - 3600))
        case .notYetValid: claims.set("nbf", .integer(now + 3600))
        case .missingExpiry: claims.remove("exp")
        case .textualExpiry: claims.set("exp", .string("\(now + 28_800)"))
        case .fractionalExpiry: claims.set("exp", .real(Double(now) + 28_800.5))
        case .otherNonce: claims.set("nonce", "another")
        case .numericNonce: claims.set("nonce", 17)
        case .missingRuntime: claims.remove("x-ms-runtime")
        case .otherReportData: claims.set("x-ms-sevsnpvm-reportdata", .string(String(repeating: "0", count: 128)))
        case .otherAttestationType: claims.set("x-ms-attestation-type", "sgx")
        default: break
        }
        return claims
    }

    private func runtime(_ bytes: [UInt8], _ how: AuthorityMisbehaviour?) throws -> JSONValue {
        let sent = try JSONValue.parse(bytes)
        guard how == .otherRuntimeKey, case .object(var object) = sent, let numbers = stranger.publicKey.rsaNumbers else { return sent }
        object.set(
            "keys",
            [
                [
                    "kty": "RSA", "kid": .string(ScriptedAuthority.strangerKeyID), "key_ops": ["encrypt"],
                    "n": .string(Base64.encodeURL(numbers.n)), "e": .string(Base64.encodeURL(numbers.e)),
                ]
            ])
        return .object(object)
    }

    private func relabelled(_ header: JSONObject, _ payload: [UInt8], _ algorithm: String) -> String {
        var header = header
        header.set("alg", .string(algorithm))
        let parts = [JSONValue.object(header).serialized(), payload, SecureRandom.bytes(32)]
        return parts.map { Base64.encodeURL($0) }.joined(separator: ".")
    }

    /// Another payload under the same signature.
    private func tampered(_ token: String) -> String {
        var parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, var bytes = Base64.decodeURL(parts[1]) else { return token }
        // Still JSON: one digit of the lifetime changes.
        if let position = bytes.lastIndex(where: { $0 == UInt8(ascii: "0") }) { bytes[position] = UInt8(ascii: "1") }
        parts[1] = Base64.encodeURL(bytes)
        return parts.joined(separator: ".")
    }
}
