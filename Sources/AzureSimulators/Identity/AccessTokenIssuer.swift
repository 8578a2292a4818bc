internal import Issuing
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// Signs access tokens as Entra does and checks them as a key store does (KeyStores.md, "Bearer challenge";
/// EntraTokens.md, "Access tokens").
struct AccessTokenIssuer: Sendable {
    /// Who calls a key store.
    struct Caller: Sendable, Equatable {
        var clientID: String
        var objectID: String
        var issuer: String

        /// As Key Vault writes it into its refusals.
        var text: String { "appid=\(clientID);oid=\(objectID);iss=\(issuer)" }
    }

    /// Why a token is not accepted.
    enum Refusal: Error, Equatable {
        case malformed
        /// The header names another key, or the signature is wrong.
        case unknownSigner(header: String)
        case expired
        case notYetValid
        case wrongAudience(found: String)
        case wrongIssuer(found: String)
    }

    let tenantID: String
    let key: PrivateKey
    let certificate: Certificate
    /// `kid` and `x5t`: base64url of the certificate's SHA-1.
    let keyID: String

    init(tenantID: String, key: PrivateKey, certificate: Certificate) {
        self.tenantID = tenantID
        self.key = key
        self.certificate = certificate
        keyID = Base64.encodeURL(DigestAlgorithm.sha1.digest(certificate.der))
    }

    /// `iss` of version 1 tokens, which Key Vault's audience gets.
    var issuer: String { "https://sts.windows.net/\(tenantID)/" }

    /// A signed token for `audience`, valid from `now` on.
    func token(audience: String, identity: SimulatedIdentity, now: Int64, life: Int64) throws(CryptoError) -> String {
        var claims: JSONObject = [
            "aud": .string(audience), "iss": .string(issuer), "iat": .integer(now), "nbf": .integer(now), "exp": .integer(now + life),
            "appid": .string(identity.clientID), "appidacr": "2", "idp": .string(issuer), "idtyp": "app", "oid": .string(identity.objectID),
            "sub": .string(identity.objectID), "tid": .string(tenantID), "uti": .string(Base64.encodeURL(SecureRandom.bytes(16))),
            "ver": "1.0",
        ]
        if let resource = identity.resourceID { claims.set("xms_mirid", .string(resource)) }
        let header: JSONObject = ["typ": "JWT", "alg": "RS256", "x5t": .string(keyID), "kid": .string(keyID)]
        return try JWSBuilder.sign(header: header, payload: JSONValue.object(claims).serialized(), key: key, algorithm: .rs256)
    }

    /// Checks signature, times, issuer and audience of a bearer token.
    func check(_ token: String, audience: String, now: Int64) throws(Refusal) -> Caller {
        let jws: JWS
        let claims: JSONCursor
        do {
            jws = try JWS(compact: token, maximumBytes: 16 * 1024)
            claims = try jws.payload(limits: JSONLimits(maximumBytes: 16 * 1024))
        } catch { throw .malformed }
        let header = String(token.prefix { $0 != "." })
        guard jws.keyID == keyID else { throw .unknownSigner(header: header) }
        do { try jws.verify(with: key.publicKey, algorithm: .rs256) } catch { throw .unknownSigner(header: header) }
        let times: (notBefore: Int64, expires: Int64)
        let texts: (audience: String, issuer: String, objectID: String, clientID: String)
        do {
            times = (try claims.integer("nbf"), try claims.integer("exp"))
            texts = (try claims.string("aud"), try claims.string("iss"), try claims.string("oid"), try claims.string("appid"))
        } catch { throw .malformed }
        guard now < times.expires else { throw .expired }
        guard times.notBefore <= now + 300 else { throw .notYetValid }
        guard texts.issuer == issuer else { throw .wrongIssuer(found: texts.issuer) }
        guard texts.audience == audience else { throw .wrongAudience(found: texts.audience) }
        return Caller(clientID: texts.clientID, objectID: texts.objectID, issuer: texts.issuer)
    }

    /// The keys as Entra publishes them.
    var keySet: JSONValue {
        let numbers = key.publicKey.rsaNumbers
        return [
            "keys": [
                [
                    "kty": "RSA", "use": "sig", "kid": .string(keyID), "x5t": .string(keyID),
                    "n": .string(Base64.encodeURL(numbers?.n ?? [])), "e": .string(Base64.encodeURL(numbers?.e ?? [])),
                    "x5c": [.string(Base64.encode(certificate.der))],
                ]
            ]
        ]
    }
}
