internal import BrokerCore
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// The public half of a wrapping key as runtime data: the JWK set that the report commits to and the token repeats.
///
/// Form: `{"keys":[{"e":…,"key_ops":["encrypt"],"kid":…,"kty":"RSA","n":…}]}` (AttestationService.md, "Attest request";
/// KeyStores.md, "Choice of the wrapping key"); `kid` is the RFC 7638 thumbprint.
struct WrappingKeyClaim {
    let runtimeData: RuntimeData
    private let e: String
    private let n: String

    init(_ numbers: RSAPublicNumbers) {
        e = Base64.encodeURL(numbers.e)
        n = Base64.encodeURL(numbers.n)
        let kid = JWK.thumbprint(rsa: numbers)
        // Base64url needs no escaping, so the exact bytes can be put together here.
        let text = #"{"keys":[{"e":"\#(e)","key_ops":["encrypt"],"kid":"\#(kid)","kty":"RSA","n":"\#(n)"}]}"#
        runtimeData = RuntimeData(Array(text.utf8))
    }

    /// Refuses a token whose runtime claim names any other key: the store would wrap to that one.
    func mustBeTheOnlyKey(of token: AttestationToken) throws(BrokerError) {
        let claim: [JSONCursor]
        do {
            let jws = try JWS(compact: token.compact, maximumBytes: 64 * 1024)
            // As lenient about numbers as the verifier: an authority may state 64-bit values, and none of them is used here.
            claim = try jws.payload(limits: JSONLimits(bigIntegers: .asReal)).member("x-ms-runtime").member("keys").array()
        } catch { throw BrokerError(.upstreamInvalid, at: .verify, "the token carries no wrapping key in x-ms-runtime.keys", cause: error) }
        // Byte by byte: Swift's == calls some different texts equal (KELVIN SIGN and "K").
        guard claim.count == 1, let key = claim.first,
            [("kty", "RSA"), ("n", n), ("e", e)].allSatisfy({ name, wanted in
                (try? key.string(name))?.utf8.elementsEqual(wanted.utf8) == true
            })
        else {
            throw BrokerError(.upstreamInvalid, at: .verify, "the token names another wrapping key than this request's; it is not sent on")
        }
    }
}
