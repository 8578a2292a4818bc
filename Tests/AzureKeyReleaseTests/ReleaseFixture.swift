import Issuing
import AzureKeyRelease
import BrokerCore
import BrokerTestKit
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SecureMemory
import StrictJSON

/// Made once for all tests of this target: RSA keys take most of the time.
let signers = Result { try ScriptedKeyStore.Signers(host: "contoso.vault.azure.net") }
let wrappingNumbers = Result { try PrivateKey.generateRSA(bits: 2048).publicKey.rsaNumbers }

/// A key store client in front of a service that a test writes itself.
struct ReleaseFixture {
    let store: any KeyStore
    let transport: any HTTPTransport
    let tokens: StaticAccessTokens
    let clock = ManualClock()
    let endpoint: Endpoint

    init(
        kind: KeyStoreKind = .keyVault, host: String = "contoso.vault.azure.net", settings: [String: RawSetting] = [:],
        cloud: String = "public", tokens: StaticAccessTokens = StaticAccessTokens(), transport: any HTTPTransport
    ) throws {
        self.transport = transport
        self.tokens = tokens
        endpoint = try Endpoint(host)
        store = try AzureKeyStore(
            kind, try KeyStoreSettings(Settings(path: "store", values: settings)),
            .forTest(transport: transport, accessTokens: tokens, trust: try signers.get().chain.trust, cloud: cloud, clock: clock))
    }

    func reference(_ name: String) throws -> KeyReference {
        guard let name = KeyName(name) else { throw BrokerError(.internal, at: .startup, "not a key name: \(name)") }
        return KeyReference(store: endpoint, name: name)
    }

    func release(_ name: String = "rsa-key", token: AttestationToken? = nil) async throws -> WrappedKey {
        try await store.release(try reference(name), presenting: try token ?? attestationToken(), as: .broker, in: .forTest())
    }

    func failure(_ name: String = "rsa-key", token: AttestationToken? = nil) async -> BrokerError? {
        do {
            _ = try await release(name, token: token)
            return nil
        } catch { return error as? BrokerError }
    }
}

/// A token whose runtime claim holds these keys; by default one that a store would wrap to.
func attestationToken(keys: [JSONValue]? = nil) throws -> AttestationToken {
    let claims: JSONValue = ["exp": 2_000_000_000, "x-ms-runtime": ["keys": .array(try keys ?? [runtimeKey()])]]
    return try AttestationToken(
        compact: JWSBuilder.unsecured(header: ["alg": "none"], payload: claims.serialized()), authority: try Endpoint("authority.example"))
}

func runtimeKey(_ changes: [String: JSONValue?] = [:]) throws -> JSONValue {
    let numbers = try wrappingNumbers.get()
    var key: JSONObject = [
        "e": "AQAB", "key_ops": ["encrypt"], "kid": "wrapping-key", "kty": "RSA", "n": .string(Base64.encodeURL(numbers?.n ?? [])),
    ]
    for (name, value) in changes { if let value { key.set(name, value) } else { key.remove(name) } }
    return .object(key)
}

/// A service that signs whatever payload a test makes out of the good one.
func crafted(_ change: @escaping @Sendable (inout JSONObject) throws -> Void) throws -> ScriptedTransport {
    let honest = ScriptedKeyStore(endpoint: try Endpoint("contoso.vault.azure.net"), signers: try signers.get())
    let chain = try signers.get().chain
    return ScriptedTransport { request throws(HTTPTransportError) in
        let answer = try await honest.send(request)
        guard answer.status == 200 else { return answer }
        do {
            let jws = try JWS(compact: try JSONCursor.parse(answer.body).string("value"), maximumBytes: 1 << 20)
            var payload = try jws.payload().object()
            try change(&payload)
            let signed = try JWSBuilder.sign(
                header: jws.header, payload: JSONValue.object(payload).serialized(), key: chain.leafKey, algorithm: .rs256)
            let body: JSONValue = ["value": .string(signed)]
            return HTTPResponse(status: 200, body: body.serialized())
        } catch { throw .invalidResponse(reason: "\(error)") }
    }
}

extension JSONObject {
    /// Replaces the value at a path of member names; `nil` removes it.
    mutating func replace(_ path: [String], with value: JSONValue?) {
        guard let first = path.first else { return }
        guard path.count > 1 else {
            if let value { set(first, value) } else { remove(first) }
            return
        }
        guard case .object(var inner)? = self[first] else { return }
        inner.replace(Array(path.dropFirst()), with: value)
        set(first, .object(inner))
    }
}
