package import JOSE
package import OpenSSLCrypto
package import StrictJSON

/// Makes JSON Web Signatures in the compact form: what the simulators answer and tests forge.
package enum JWSBuilder {
    /// Signs `payload`. The header is written in its order; `alg` is set to `algorithm`, in its place where it is already there.
    package static func sign(header: JSONObject, payload: [UInt8], key: PrivateKey, algorithm: JWSAlgorithm) throws(CryptoError) -> String {
        let input = signingInput(header, algorithm.rawValue, payload)
        let signature = try key.sign(Array(input.utf8), algorithm: algorithm.signature)
        return input + "." + Base64.encodeURL(signature)
    }

    /// An unsecured message (RFC 7515, appendix A.5): `alg` is `none` and the signature empty.
    package static func unsecured(header: JSONObject = JSONObject(), payload: [UInt8]) -> String {
        signingInput(header, "none", payload) + "."
    }

    private static func signingInput(_ header: JSONObject, _ algorithm: String, _ payload: [UInt8]) -> String {
        var header = header
        header.set("alg", .string(algorithm))
        return Base64.encodeURL(JSONValue.object(header).serialized()) + "." + Base64.encodeURL(payload)
    }
}
