import Issuing
import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

/// What official clients meet before they are let in.
struct BearerTests {
    @Test("a first request without token and body gets the challenge of the service") func challenge() async throws {
        try await Cloud.run { cloud in
            let tenant = "12345678-1234-1234-1234-123456789012"
            let vault = try await cloud.send(.put, Cloud.vault, "/keys/k1?api-version=7.4")
            #expect(vault.status == 401)
            #expect(vault.code == "Unauthorized")
            #expect(vault.message == "AKV10000: Request is missing a Bearer or PoP token.")
            #expect(
                vault.header("www-authenticate")
                    == "Bearer authorization=\"https://login.windows.net/\(tenant)\", resource=\"https://vault.azure.net\"")
            let hsm = try await cloud.send(.post, Cloud.managedHSM, "/keys/k1/release?api-version=7.4")
            #expect(hsm.status == 401)
            #expect(hsm.response.body.isEmpty)
            #expect(hsm.header("content-length") == "0")
            #expect(
                hsm.header("www-authenticate")
                    == "Bearer authorization=\"https://login.microsoftonline.com/\(tenant)\", resource=\"https://managedhsm.azure.net\"")
            let government = try await cloud.send(.get, "contoso.vault.usgovcloudapi.net", "/keys?api-version=7.4")
            #expect(government.header("www-authenticate")?.contains("https://vault.usgovcloudapi.net") == true)
        }
    }

    @Test("tokens that are expired, for another audience, of another signer or garbage are refused") func refused() async throws {
        try await Cloud.run { cloud in
            func ask(_ bearer: String, _ host: String = Cloud.vault) async throws -> Answer {
                try await cloud.send(.get, host, "/keys?api-version=7.4", bearer: bearer)
            }
            #expect(try await ask(cloud.bearer()).status == 200)
            let expired = try cloud.simulators.accessToken(audience: Cloud.vaultAudience, life: -1)
            let wrong = try cloud.simulators.accessToken(audience: Cloud.managedHSMAudience)
            let good = try JWS(compact: cloud.bearer(), maximumBytes: 10_000)
            let stranger = try PrivateKey.generateRSA(bits: 2048)
            let forged = try JWSBuilder.sign(header: good.header, payload: good.payloadBytes, key: stranger, algorithm: .rs256)
            let unsecured = JWSBuilder.unsecured(header: good.header, payload: good.payloadBytes)
            for (bearer, text) in [
                (expired, "AKV10001"),
                (wrong, "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://managedhsm.azure.net."),
                (forged, "AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: '"), (unsecured, "AKV10046"),
                ("garbage", "AKV10001"), ("a.b.c", "AKV10001"),
            ] {
                let answer = try await ask(bearer)
                #expect(answer.status == 401)
                #expect(answer.message.hasPrefix(text), "\(answer.message)")
                #expect(answer.header("www-authenticate") != nil)
            }
            let hsm = try await ask(cloud.bearer(), Cloud.managedHSM)
            #expect(hsm.status == 401)
            #expect(hsm.response.body.isEmpty)
        }
    }

    @Test("permissions can be denied by operation, caller and store") func denials() async throws {
        try await Cloud.run({ $0.denials = [PermissionDenial([.get, .list], host: Cloud.vault)] }) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC"])
            for path in ["/keys/k1", "/keys", "/keys/k1/versions"] {
                let answer = try await cloud.send(.get, Cloud.vault, path + "?api-version=7.4", bearer: cloud.bearer())
                #expect(answer.status == 403)
                #expect(answer.message.contains("Microsoft.KeyVault/vaults/keys/read"))
            }
            let hsm = try await cloud.send(.get, Cloud.managedHSM, "/keys?api-version=7.4", bearer: cloud.bearer(Cloud.managedHSM))
            #expect(hsm.status == 200)
        }
    }

    @Test("service headers are those of the personality") func headers() async throws {
        try await Cloud.run { cloud in
            let vault = try await cloud.send(
                .get, Cloud.vault, "/keys?api-version=7.4", bearer: cloud.bearer(), headers: [("x-ms-client-request-id", "mine")])
            #expect(vault.header("x-ms-keyvault-region") == "westus")
            #expect(vault.header("x-ms-keyvault-service-version") != nil)
            #expect(vault.header("date")?.hasSuffix(" GMT") == true)
            #expect(vault.header("x-ms-client-request-id") == "mine")
            #expect(vault.header("strict-transport-security") != nil)
            let hsm = try await cloud.send(.get, Cloud.managedHSM, "/keys?api-version=7.4", bearer: cloud.bearer(Cloud.managedHSM))
            #expect(hsm.header("x-ms-server-latency") != nil)
            #expect(hsm.header("x-ms-keyvault-service-version") == nil)
        }
    }
}
