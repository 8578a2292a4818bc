import AzureKeyRelease
import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Issuing
import OpenSSLCrypto
import ReleasePolicy
import SecureMemory
import StrictJSON
import Testing

@Suite("Keys as their administrator handles them") struct KeyManagementTests {
    private static let vault = "contoso.vault.azure.net"
    private static let hsm = "contoso.managedhsm.azure.net"
    private static let version = "0123456789abcdef0123456789abcdef"
    private static let policy: JSONValue = [
        "version": "1.0.0", "anyOf": [["authority": "https://authority.example", "allOf": [["claim": "a", "equals": "b"]]]],
    ]

    private static func refusal(_ status: Int, _ message: String = "", code: String = "Forbidden", inner: String? = nil) -> HTTPResponse {
        let innerError: JSONValue = inner.map { ["code": .string($0)] } ?? .null
        let body: JSONValue = ["error": ["code": .string(code), "message": .string(message), "innererror": innerError]]
        return HTTPResponse(status: status, body: body.serialized())
    }

    private func manager(
        _ transport: ScriptedTransport, at store: String = hsm, bearer: String? = nil, tokens: StaticAccessTokens = StaticAccessTokens()
    ) throws -> KeyManager {
        try KeyManager(
            store: try Endpoint(store), bearer: bearer.map { Redacted($0) }, .forTest(transport: transport, accessTokens: tokens))
    }

    private enum Operation: CaseIterable { case `import`, read, list, update }

    private func failure(_ operation: Operation, _ manager: KeyManager) async throws -> BrokerError? {
        let name = try #require(KeyName("canary"))
        let policy = try ReleasePolicy(Self.policy)
        do throws(BrokerError) {
            switch operation {
            case .import:
                let secret = SecretBytes(capacity: 16) { _ in 16 }
                _ = try await manager.importKey(name, .symmetric(secret), operations: nil, policy: policy, in: .forTest())
            case .read: _ = try await manager.key(name, in: .forTest())
            case .list: _ = try await manager.names(in: .forTest())
            case .update: _ = try await manager.setPolicy(policy, of: name, in: .forTest())
            }
            return nil
        } catch { return error }
    }

    @Test("case 17: a missing permission is that of the action, with role, id and data action") func permissions() async throws {
        let answer = Self.refusal(403, "Caller is not authorized to perform action on resource.", inner: "ForbiddenByRbac")
        for (operation, cause, words) in [
            (Operation.import, "import-permission-missing", ["keys/import/action", "Key Vault Crypto Officer", "5d6cb909625b"]),
            (.read, "read-permission-missing", ["vaults/keys/read", "managedHsm/keys/read/action", "'get'"]),
            (.list, "list-permission-missing", ["vaults/keys/read", "'list'"]),
            (.update, "update-permission-missing", ["vaults/keys/update/action", "managedHsm/keys/write/action"]),
        ] {
            let details = try await failure(operation, manager(ScriptedTransport(script: [.success(answer)])))?.details
            #expect(details?.cause == cause)
            let said = details?.nextSteps.joined(separator: "\n") ?? ""
            for word in words { #expect(said.contains(word), "\(operation): \(word) is not in \(said)") }
            #expect(!said.contains("Release User"), "\(operation)")
        }
    }

    @Test("case 17: every other refusal has its cause, and no JSON in its words") func causes() async throws {
        for (operation, answer, cause) in [
            (Operation.import, Self.refusal(400, "AKV.SKR.1001: The exportable attribute …", code: "BadParameter"), "akv-skr-1001"),
            (.import, Self.refusal(400, "AKV.SKR.1003: x", code: "BadParameter"), "akv-skr-1003"),
            (.import, Self.refusal(400, "AKV.SKR.1006: x", code: "BadParameter"), "akv-skr-1006"),
            (.update, Self.refusal(400, "AKV.SKR.1012: The specified attestation service x cannot be reached."), "akv-skr-1012"),
            (.update, Self.refusal(400, "AKV.SKR.1016: Key Release Policy can only be set on versionless key"), "akv-skr-1016"),
            (.update, Self.refusal(400, "AKV.SKR.1020: Immutable Key Release Policy cannot be modified."), "akv-skr-1020"),
            (.read, Self.refusal(404, "Key not found: canary", code: "KeyNotFound"), "key-not-found"),
            (.read, Self.refusal(401, "AKV10022: Invalid audience.", code: "Unauthorized"), "wrong-audience"),
            (.list, HTTPResponse(status: 401), "access-token-rejected"),
        ] {
            let error = try #require(try await failure(operation, manager(ScriptedTransport(script: [.success(answer)]))))
            #expect(error.details?.cause == cause, "\(error)")
            #expect(!error.message.contains("{"), "\(error)")
        }
        // What a vault says of a symmetric key is not recorded; that it cannot have one is.
        let vague = Self.refusal(400, "Property has invalid value: kty", code: "BadParameter")
        let error = try await failure(.import, manager(ScriptedTransport(script: [.success(vague)]), at: Self.vault))
        #expect(error?.details?.cause == "oct-key-in-vault")
    }

    @Test("case 18: a 401 without a body says what the store wants") func unauthorized() async throws {
        let challenge = "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://managedhsm.azure.net\""
        let answer = HTTPResponse(status: 401, headers: [("www-authenticate", challenge)])
        let error = try await failure(.read, manager(ScriptedTransport(script: [.success(answer)])))
        #expect(error?.message.contains("it wants a token for https://managedhsm.azure.net") == true, "\(String(describing: error))")
    }

    @Test("case 27: a date in Retry-After reaches the error") func retryAfter() async throws {
        let answer = HTTPResponse(
            status: 429, headers: [("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")])
        #expect(try await failure(.read, manager(ScriptedTransport(script: [.success(answer)])))?.retryAfter == .seconds(30))
    }

    // MARK: Policies

    private static func bundle(_ policy: JSONValue, name: String = "canary", immutable: Bool = false) -> HTTPResponse {
        let body: JSONValue = [
            "key": ["kid": .string("https://\(hsm)/keys/\(name)/\(version)"), "kty": "oct-HSM"], "attributes": ["exportable": true],
            "release_policy": ["data": .string(Base64.encodeURL(policy.serialized())), "immutable": .boolean(immutable)],
        ]
        return HTTPResponse(status: 200, body: body.serialized())
    }

    @Test("a policy is sent for the key without a version, and read back") func setPolicy() async throws {
        let transport = ScriptedTransport(script: [.success(Self.bundle(Self.policy)), .success(Self.bundle(Self.policy))])
        #expect(try await failure(.update, manager(transport)) == nil)
        let requests = transport.requests
        #expect(requests.map(\.method) == [.patch, .get])
        #expect(requests.map(\.path) == ["/keys/canary?api-version=7.4", "/keys/canary?api-version=7.4"])
        let sent = try JSONCursor.parse(requests[0].body ?? []).member("release_policy")
        #expect(try Base64.decodeURL(sent.string("data")) == (try ReleasePolicy(Self.policy)).serialized(style: .vault))

        let other: JSONValue = [
            "version": "1.0.0", "anyOf": [["authority": "https://authority.example", "allOf": [["claim": "a", "equals": "c"]]]],
        ]
        let unchanged = ScriptedTransport(script: [.success(Self.bundle(other)), .success(Self.bundle(other))])
        #expect(try await failure(.update, manager(unchanged))?.code == .upstreamInvalid)
    }

    @Test("case 13: a store may spell the name as it likes") func spelling() async throws {
        let transport = ScriptedTransport(script: [.success(Self.bundle(Self.policy, name: "CaNaRy"))])
        let key = try await manager(transport).key(try #require(KeyName("canary")), in: .forTest())
        #expect(key.name == "CaNaRy")
        #expect(try await failure(.read, manager(ScriptedTransport(script: [.success(Self.bundle(Self.policy, name: "other"))]))) != nil)
    }

    @Test("a policy beside the original's file takes the place of its claims") func importConfiguration() throws {
        let policy = try ReleasePolicy(Self.policy)
        let file: JSONValue = ["key": ["kid": "k", "kty": "EC-HSM", "akv": ["endpoint": .string(Self.vault)]]]
        #expect(try ImportConfiguration(file.serialized(), policy: policy).policy == policy)
        #expect(throws: ImportConfiguration.Invalid.self) { try ImportConfiguration(file.serialized()) }
        var both = try JSONCursor(file).object()
        both.set("claims", [[["claim": "x", "equals": "y"]]])
        let plan = try ImportConfiguration(JSONValue.object(both).serialized(), policy: policy)
        #expect(plan.policy == policy && plan.unknown.count == 1)
    }
}

@Suite("An access token is looked at before it is sent") struct TokenExaminationTests {
    private static let now: Int64 = 1_767_225_600
    private static let tenants = ["11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"]

    private static func token(_ changes: [String: JSONValue] = [:]) -> String {
        var claims: JSONObject = [
            "aud": "https://managedhsm.azure.net", "exp": .integer(now + 3600), "nbf": .integer(now), "tid": .string(tenants[0]),
        ]
        for (name, value) in changes { claims.set(name, value) }
        return JWSBuilder.unsecured(header: ["alg": "none"], payload: JSONValue.object(claims).serialized())
    }

    private func complaint(_ token: String, _ transport: ScriptedTransport) async throws -> BrokerError? {
        let manager = try KeyManager(
            store: try Endpoint("contoso.managedhsm.azure.net"), bearer: Redacted(token), .forTest(transport: transport))
        do throws(BrokerError) {
            try await manager.examineToken(in: .forTest())
            return nil
        } catch { return error }
    }

    @Test("case 18: a vault's token for a Managed HSM, and one that is not in force, never leave") func unsent() async throws {
        for (changes, words): ([String: JSONValue], String) in [
            (["aud": "https://vault.azure.net"], "https://vault.azure.net"), (["aud": "https://management.azure.com/"], "management"),
            (["exp": .integer(Self.now - 7200)], "expired 2 h ago"), (["nbf": .integer(Self.now + 600)], "not valid before"),
        ] {
            let transport = ScriptedTransport(script: [])
            let error = try #require(try await complaint(Self.token(changes), transport))
            #expect(error.code == .identityFailed && error.message.contains(words), "\(error)")
            let step = error.details?.nextSteps.first ?? ""
            #expect(step.contains("az account get-access-token --resource https://managedhsm.azure.net"), "\(step)")
            #expect(transport.requests.isEmpty)
        }
    }

    @Test("a token of another tenant than the store's is named without being sent") func tenant() async throws {
        let challenge =
            "Bearer authorization=\"https://login.microsoftonline.com/\(Self.tenants[1])\", resource=\"https://managedhsm.azure.net\""
        let answer = HTTPResponse(status: 401, headers: [("www-authenticate", challenge)])
        let transport = ScriptedTransport { _ throws(HTTPTransportError) in answer }
        let error = try #require(try await complaint(Self.token(), transport))
        for tenant in Self.tenants { #expect(error.message.contains(tenant), "\(error)") }
        #expect(error.details?.nextSteps.first?.contains("--tenant \(Self.tenants[1])") == true)
        #expect(transport.requests.count == 1 && transport.requests.allSatisfy { $0.bearer == nil })
        #expect(try await complaint(Self.token(["tid": .string(Self.tenants[1].uppercased())]), transport) == nil)
    }

    @Test(
        "what cannot be judged here is left to the store",
        arguments: [
            "opaque", "a.b.c", token(["aud": "https://managedhsm.azure.net/"]), token(["aud": "589d5083-6f11-4d30-a62a-a4b316a14abf"]),
            token(["aud": ["https://vault.azure.net"]]),
        ]) func unjudged(token: String) async throws
    { #expect(try await complaint(token, ScriptedTransport(script: [])) == nil) }

    @Test("without any token, the command that gives one is named") func none() async throws {
        let tokens = StaticAccessTokens(failing: BrokerError(.identityFailed, at: .identity, "no metadata service"))
        let manager = try KeyManager(
            store: try Endpoint("contoso.vault.azure.net"), .forTest(transport: ScriptedTransport(script: []), accessTokens: tokens))
        do throws(BrokerError) {
            _ = try await manager.names(in: .forTest())
            Issue.record("there was no token")
        } catch {
            let step = error.details?.nextSteps.last ?? ""
            #expect(step.contains("az account get-access-token --resource https://vault.azure.net"), "\(step)")
            #expect(step.contains("--access-token-file") && step.contains("BROKER_ACCESS_TOKEN"))
        }
    }
}
