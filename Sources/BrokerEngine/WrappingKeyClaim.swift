internal import AttestationTokens
internal import BrokerCore
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// The public half of a wrapping key as runtime data: the JWK set that the report commits to and the token repeats.
///
/// Form: `{"keys":[{"e":…,"key_ops":["encrypt"],"kid":…,"kty":"RSA","n":…}]}` (AttestationService.md, "Attest request";
/// KeyStores.md, "Choice of the wrapping key"); `kid` is the RFC 7638 thumbprint.
struct WrappingKeyClaim {
    private let document: JSONValue

    var runtimeData: RuntimeData { RuntimeData(document.serialized()) }

    init(_ numbers: RSAPublicNumbers) {
        let key: JSONValue = [
            "e": .string(Base64.encodeURL(numbers.e)), "key_ops": ["encrypt"], "kid": .string(JWK.thumbprint(rsa: numbers)), "kty": "RSA",
            "n": .string(Base64.encodeURL(numbers.n)),
        ]
        document = ["keys": [key]]
    }

    /// Refuses a token whose runtime claim is anything else: the store would wrap to a key that it names.
    func mustBeRepeated(by token: AttestationToken) throws(BrokerError) {
        guard token.content.runtimeClaim == document else {
            throw BrokerError(
                .upstreamInvalid, at: .verify, "the token does not name exactly this request's wrapping key; it is not sent on")
        }
    }
}
