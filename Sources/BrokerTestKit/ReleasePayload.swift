internal import BrokerCore
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// The payload of a release answer: `{"request":…,"response":{"key":{"key":…,"attributes":…}}}`.
struct ReleasePayload {
    let origin: String
    let isVault: Bool
    let asked: ReleaseBody
    let key: SampleKey

    func document(_ how: StoreMisbehaviour?) throws -> JSONObject {
        var request: JSONObject = [
            "api-version": .string(asked.apiVersion), "enc": .string(asked.enc.rawValue), "kid": .string("\(origin)/keys/\(asked.key)"),
        ]
        if let nonce = asked.nonce { request.set("nonce", .string(nonce)) }
        switch how {
        case .otherRequestedKey: request.set("kid", .string("\(origin)/keys/another"))
        case .otherEncryption: request.set("enc", .string(other(asked.enc).rawValue))
        case .otherNonce: request.set("nonce", "another")
        case .missingNonce: request.remove("nonce")
        default: break
        }
        let bundle: JSONValue = [
            "key": .object(try jwk(how)),
            "attributes": [
                "enabled": true, "created": 1_640_125_199, "updated": 1_640_125_199, "exportable": .boolean(how != .notExportable),
            ], "tags": [:], "release_policy": ["data": "e30", "immutable": false],
        ]
        return ["request": .object(request), "response": how == .noResponse ? [:] : ["key": bundle]]
    }

    private func jwk(_ how: StoreMisbehaviour?) throws -> JSONObject {
        let name = how == .otherKeyName ? "another" : key.name
        let version = how == .otherVersion ? String(repeating: "0", count: 32) : key.version
        let kid = how == .missingVersion ? "\(origin)/keys/\(name)" : "\(origin)/keys/\(name)/\(version)"
        var jwk: JSONObject = [
            "kid": .string(kid), "kty": .string(how == .unknownKeyType ? "OKP" : kty),
            "key_ops": .array(how == .tooManyOperations ? Array(repeating: "sign", count: 1000) : key.operations.map { .string($0) }),
        ]
        switch key.publicPart {
        case .rsa(let n, let e)?:
            jwk.set("n", .string(Base64.encodeURL(n)))
            // A vault writes 00 01 00 01 for its HSM keys.
            if how != .halfPublicPart { jwk.set("e", .string(Base64.encodeURL(isVault ? [0] + e : e))) }
        case .ec(let curve, let x, let y)?:
            jwk.set("crv", .string(curve))
            jwk.set("x", .string(Base64.encodeURL(x)))
            jwk.set("y", .string(Base64.encodeURL(y)))
        case nil: break
        }
        if how == .unknownCurve {
            jwk.set("kty", "EC")
            for name in ["n", "e"] { jwk.remove(name) }
            jwk.set("crv", "P-256K")
            for name in ["x", "y"] { jwk.set(name, .string(Base64.encodeURL([UInt8](repeating: 1, count: 32)))) }
        }
        jwk.set("key_hsm", .string(try blob(how)))
        return jwk
    }

    private var kty: String {
        switch key.type {
        case .rsa: isVault ? "RSA-HSM" : "RSA"
        case .ec: isVault ? "EC-HSM" : "EC"
        case .oct: isVault ? "oct-HSM" : "oct"
        }
    }

    private func blob(_ how: StoreMisbehaviour?) throws -> String {
        if how == .blobIsNotBase64 { return "*** not base64url ***" }
        if how == .blobIsNotJSON { return Base64.encodeURL(Array("not JSON".utf8)) }
        let document: JSONValue = [
            "schema_version": .string(how == .otherSchema ? "2.0" : "1.0"),
            "header": [
                "kid": .string(how == .otherWrappingKey ? "another" : asked.wrappingKey.kid ?? ""),
                "alg": .string(how == .otherBlobAlgorithm ? "RSA-OAEP" : "dir"),
                "enc": .string((how == .downgradedBlob ? other(asked.enc) : asked.enc).rawValue),
            ], "ciphertext": .string(Base64.encodeURL(try ciphertext(how))),
        ]
        return Base64.encodeURL(document.serialized())
    }

    private func ciphertext(_ how: StoreMisbehaviour?) throws -> [UInt8] {
        let secret = SecretBytes(capacity: key.content.count) { memory in
            memory.copyBytes(from: key.content)
            return key.content.count
        }
        let whole = try KeyWrap.wrap(secret, to: asked.wrappingKey.publicKey, using: asked.enc)
        switch how {
        case .emptyCiphertext: return []
        case .shortCiphertext: return Array(whole.prefix(256 + 8))
        case .unevenCiphertext: return Array(whole.dropLast())
        case .hugeCiphertext: return [UInt8](repeating: 0, count: 256 + 8 * 2500)
        default: return whole
        }
    }

    private func other(_ algorithm: KeyWrapAlgorithm) -> KeyWrapAlgorithm {
        algorithm == .ckmRSAAESKeyWrap ? .rsaAESKeyWrap256 : .ckmRSAAESKeyWrap
    }
}
