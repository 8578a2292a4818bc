internal import BrokerCore
internal import OpenSSLCrypto
internal import StrictJSON

/// Type and public part of a released key's JWK. A vault writes `RSA-HSM`, an HSM `RSA` (KeyStores.md, "Vault and HSM"); both mean the
/// same.
enum ReleasedKeyForm {
    static func read(_ jwk: JSONCursor) throws(JSONError) -> (WrappedKey.KeyType, WrappedKey.PublicPart?) {
        let kty = try jwk.member("kty")
        switch try kty.string() {
        case "RSA", "RSA-HSM": return (.rsa, try rsa(jwk))
        case "EC", "EC-HSM": return (.ec, try ec(jwk))
        case "oct", "oct-HSM": return (.oct, nil)
        default: throw kty.invalid("no known key type")
        }
    }

    private static func rsa(_ jwk: JSONCursor) throws(JSONError) -> WrappedKey.PublicPart? {
        let n = try number("n", of: jwk, limit: 2048)
        let e = try number("e", of: jwk, limit: 2048)
        switch (n, e) {
        // The digits come without leading zero bytes: a vault's HSM keys have e = 00 01 00 01 (KeyStores.md, "Vault and HSM").
        case (let n?, let e?): return .rsa(n: n, e: e)
        case (nil, nil): return nil
        default: throw jwk.invalid("the public part lacks n or e")
        }
    }

    private static func ec(_ jwk: JSONCursor) throws(JSONError) -> WrappedKey.PublicPart? {
        let x = try number("x", of: jwk, limit: 128)
        let y = try number("y", of: jwk, limit: 128)
        switch (try jwk.optional("crv"), x, y) {
        case (nil, nil, nil): return nil
        case (let crv?, let x?, let y?):
            guard let curve = EllipticCurve(rawValue: try crv.string()) else {
                throw crv.invalid("a curve other than P-256, P-384 and P-521")
            }
            guard let x = padded(x, curve), let y = padded(y, curve) else {
                throw jwk.invalid("the point is too large for \(curve.rawValue)")
            }
            return .ec(curve: curve.rawValue, x: x, y: y)
        default: throw jwk.invalid("the public part lacks crv, x or y")
        }
    }

    private static func padded(_ digits: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let missing = curve.coordinateByteCount - digits.count
        return missing < 0 ? nil : [UInt8](repeating: 0, count: missing) + digits
    }

    /// A base64url number without its leading zero bytes.
    private static func number(_ name: String, of jwk: JSONCursor, limit: Int) throws(JSONError) -> [UInt8]? {
        guard let member = try jwk.optional(name) else { return nil }
        guard let bytes = Base64.decodeURL(try member.string()), !bytes.isEmpty, bytes.count <= limit + 1 else {
            throw member.invalid("not a base64url number")
        }
        return Array(bytes.drop { $0 == 0 })
    }
}
