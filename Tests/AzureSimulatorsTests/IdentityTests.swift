import Issuing
import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import StrictJSON
import Synchronization
import Testing

private let tokenPath = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"

struct ManagedIdentityTests {
    static let assigned = SimulatedIdentity(
        clientID: "66666666-CCCC-4ccc-8ccc-666666666666", objectID: "77777777-dddd-4ddd-8ddd-777777777777",
        resourceID: "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i")

    @Test("tokens come with numbers as strings and open the vault") func token() async throws {
        try await Cloud.run { cloud in
            let answer = try await cloud.metadata(tokenPath)
            #expect(answer.status == 200)
            let json = try answer.json
            #expect(try json.string("expires_in") == "86399")
            #expect(try json.string("expires_on") == String(Cloud.now + 86_399))
            #expect(try json.string("not_before") == String(Cloud.now))
            #expect(try json.string("resource") == "https://vault.azure.net")
            #expect(try json.string("token_type") == "Bearer")
            let token = try json.string("access_token")
            let claims = try JWS(compact: token, maximumBytes: 10_000).payload()
            #expect(try claims.string("aud") == "https://vault.azure.net")
            #expect(try claims.string("iss") == "https://sts.windows.net/12345678-1234-1234-1234-123456789012/")
            #expect(try claims.string("appid") == SimulatedIdentity.systemAssigned.clientID)
            #expect(try claims.integer("exp") == Cloud.now + 86_399)
            #expect(try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4", bearer: token).status == 200)

            let keys = try await cloud.send(.get, "login.microsoftonline.com", "/common/discovery/keys")
            let set = try JWKSet(parsing: keys.response.body, maximumKeys: 10)
            let jws = try JWS(compact: token, maximumBytes: 10_000)
            let keyID = try #require(jws.keyID)
            let key = try #require(set.keys(withID: keyID).first)
            try jws.verify(with: key.publicKey, algorithm: .rs256)
        }
    }

    @Test("the same token is given until half of its life has passed, and each resource has its own") func sameToken() async throws {
        let now = Mutex(Cloud.now)
        try await Cloud.run({ $0.clock = { now.withLock { $0 } } }) { cloud in
            func token(_ path: String = tokenPath) async throws -> (text: String, left: String, until: String) {
                let json = try await cloud.metadata(path).json
                return try (json.string("access_token"), json.string("expires_in"), json.string("expires_on"))
            }
            let first = try await token()
            now.withLock { $0 += 40_000 }
            let second = try await token()
            #expect(second == (first.text, "46399", first.until))
            #expect(try await token(tokenPath.replacing("vault", with: "managedhsm")).text != first.text)
            now.withLock { $0 += 4_000 }
            let third = try await token()
            #expect(third.text != first.text && third.left == "86399")
            // A clock that was set back makes no token from the future.
            now.withLock { $0 -= 44_000 }
            #expect(try await token().text != third.text)
        }
    }

    @Test("the Metadata header is required, exactly") func metadataHeader() async throws {
        try await Cloud.run { cloud in
            for headers: [(name: String, value: String)] in [[], [("Metadata", "True")], [("Metadata", "false")]] {
                let answer = try await cloud.metadata(tokenPath, headers: headers)
                #expect(answer.status == 400)
                #expect(try answer.json.string("error") == "bad_request_102")
                #expect(try answer.json.string("error_description") == "Required metadata header not specified")
            }
            let proxied = try await cloud.metadata(tokenPath, headers: [("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")])
            #expect(proxied.status == 400)
        }
    }

    @Test("identities are selected by any of their names, one at a time") func selectors() async throws {
        try await Cloud.run({ $0.identities.append(Self.assigned) }) { cloud in
            let resource = "%2Fsubscriptions%2Fs%2FresourceGroups%2Fg%2Fproviders%2FMicrosoft.ManagedIdentity%2FuserAssignedIdentities%2Fi"
            for selector in [
                "client_id=66666666-cccc-4ccc-8ccc-666666666666", "object_id=77777777-dddd-4ddd-8ddd-777777777777",
                "msi_res_id=\(resource)", "mi_res_id=\(resource)",
            ] {
                let answer = try await cloud.metadata("\(tokenPath)&\(selector)")
                #expect(answer.status == 200, "\(selector)")
                let claims = try JWS(compact: try answer.json.string("access_token"), maximumBytes: 10_000).payload()
                #expect(try claims.string("oid") == Self.assigned.objectID)
                #expect(try claims.string("xms_mirid") == Self.assigned.resourceID)
            }
            for query in ["client_id=nobody", "client_id=66666666-cccc-4ccc-8ccc-666666666666&object_id=x", "client_id="] {
                let answer = try await cloud.metadata("\(tokenPath)&\(query)")
                #expect(answer.status == 400)
                #expect(try answer.json.string("error") == "invalid_request")
            }
        }
    }

    @Test("queries that cannot be answered") func refused() async throws {
        try await Cloud.run { cloud in
            let base = "/metadata/identity/oauth2/token"
            for (path, error) in [
                (base + "?resource=https%3A%2F%2Fvault.azure.net", "invalid_request"),
                (base + "?api-version=1.0&resource=https%3A%2F%2Fvault.azure.net", "invalid_request"),
                (base + "?api-version=2018-02-01", "invalid_request"),
                (base + "?api-version=2018-02-01&resource=vault", "invalid_resource"),
                (base + "?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net%2F.default", "invalid_resource"),
            ] {
                let answer = try await cloud.metadata(path)
                #expect(answer.status == 400, "\(path)")
                #expect(try answer.json.string("error") == error)
            }
            #expect(try await cloud.metadata("/metadata/instance?api-version=2021-02-01").status == 501)
            #expect(try await cloud.metadata("/%zz").status == 404)
        }
    }
}

struct EntraTests {
    private static let tenant = "12345678-1234-1234-1234-123456789012"

    private static func assertion(
        issuer: String = "https://oidc.example.org/", subject: String = "system:serviceaccount:ns:sa",
        audience: JSONValue = ["api://AzureADTokenExchange"], expires: Int64 = Cloud.now + 3600, key: PrivateKey? = nil
    ) throws -> String {
        let claims: JSONValue = [
            "iss": .string(issuer), "sub": .string(subject), "aud": audience, "exp": .integer(expires), "nbf": .integer(Cloud.now - 10),
        ]
        return try JWSBuilder.sign(
            header: ["kid": "k1"], payload: claims.serialized(), key: try key ?? PrivateKey.generateRSA(bits: 2048), algorithm: .rs256)
    }

    private func exchange(
        _ cloud: Cloud, assertion: String, tenant: String = EntraTests.tenant, host: String = "login.microsoftonline.com",
        client: String = "app-1", scope: String = "https%3A%2F%2Fvault.azure.net%2F.default", grant: String = "client_credentials"
    ) async throws -> Answer {
        let form =
            "client_id=\(client)&scope=\(scope)&grant_type=\(grant)&client_assertion_type="
            + "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=\(assertion)"
        return try await cloud.send(
            .post, host, "/\(tenant)/oauth2/v2.0/token", body: Array(form.utf8),
            headers: [("Content-Type", "application/x-www-form-urlencoded")])
    }

    private func expect(_ answer: Answer, _ number: Int, status: Int) throws {
        #expect(answer.status == status)
        #expect(try answer.json.array("error_codes").map { try $0.integer() } == [Int64(number)])
        #expect(try answer.json.string("error_description").hasPrefix("AADSTS\(number): "))
        #expect(try answer.json.string("error_uri") == "https://login.microsoftonline.com/error?code=\(number)")
        #expect(try answer.json.string("timestamp") == "2026-09-21 14:13:20Z")
        #expect(try answer.json.string("trace_id").utf8.count == 36)
    }

    @Test(
        "an assertion is exchanged for a token that opens the vault",
        arguments: ["login.microsoftonline.com", "login.windows.net", "login.microsoftonline.us", "login.chinacloudapi.cn"]) func exchange(
            _ host: String
        ) async throws
    {
        try await Cloud.run { cloud in
            let answer = try await exchange(cloud, assertion: Self.assertion(), host: host)
            #expect(answer.status == 200)
            // Numbers are numbers here, unlike at IMDS.
            #expect(try answer.json.integer("expires_in") == 86_399)
            #expect(try answer.json.integer("ext_expires_in") == 86_399)
            #expect(try answer.json.string("token_type") == "Bearer")
            let token = try answer.json.string("access_token")
            #expect(try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4", bearer: token).status == 200)
            let claims = try JWS(compact: token, maximumBytes: 10_000).payload()
            #expect(try claims.string("appid") == "app-1")
            #expect(try claims.string("oid").utf8.count == 36)
        }
    }

    @Test("refusals carry their AADSTS numbers") func refusals() async throws {
        try await Cloud.run { cloud in
            try expect(try await exchange(cloud, assertion: "nonsense"), 50027, status: 401)
            try expect(try await exchange(cloud, assertion: Self.assertion(expires: Cloud.now - 1)), 700_024, status: 401)
            try expect(try await exchange(cloud, assertion: Self.assertion(), tenant: "other"), 90002, status: 400)
            try expect(try await exchange(cloud, assertion: Self.assertion(), grant: "password"), 70003, status: 400)
            try expect(try await exchange(cloud, assertion: Self.assertion(), scope: "vault"), 1_002_012, status: 400)
            try expect(try await exchange(cloud, assertion: ""), 900_144, status: 400)
            let unsecured = JWSBuilder.unsecured(payload: JSONValue.object(["exp": .integer(Cloud.now + 60)]).serialized())
            try expect(try await exchange(cloud, assertion: unsecured), 50027, status: 401)
            let empty = try await cloud.send(.post, "login.microsoftonline.com", "/\(Self.tenant)/oauth2/v2.0/token")
            try expect(empty, 900_144, status: 400)
        }
    }

    @Test("configured credentials are compared as exact text, signatures with the issuer's keys") func federatedCredentials() async throws {
        let key = try PrivateKey.generateRSA(bits: 2048)
        let numbers = key.publicKey.rsaNumbers
        let keys: JSONValue = [
            "keys": [
                [
                    "kty": "RSA", "kid": "k1", "n": .string(Base64.encodeURL(numbers?.n ?? [])),
                    "e": .string(Base64.encodeURL(numbers?.e ?? [])),
                ]
            ]
        ]
        let credential = FederatedCredential(
            issuer: "https://oidc.example.org/", subject: "system:serviceaccount:ns:sa", clientID: "app-1", issuerKeys: keys.serialized())
        try await Cloud.run({ $0.federatedCredentials = [credential] }) { cloud in
            #expect(try await exchange(cloud, assertion: Self.assertion(key: key)).status == 200)
            #expect(try await exchange(cloud, assertion: Self.assertion(audience: "api://AzureADTokenExchange", key: key)).status == 200)
            try expect(
                try await exchange(cloud, assertion: Self.assertion(issuer: "https://oidc.example.org", key: key)), 700_211, status: 401)
            try expect(
                try await exchange(cloud, assertion: Self.assertion(subject: "system:serviceaccount:ns:SA", key: key)), 700_213, status: 401
            )
            try expect(try await exchange(cloud, assertion: Self.assertion(audience: "other", key: key)), 700_212, status: 401)
            try expect(try await exchange(cloud, assertion: Self.assertion()), 700_027, status: 401)
            try expect(try await exchange(cloud, assertion: Self.assertion(key: key), client: "app-2"), 700_016, status: 400)
        }
    }

    @Test("times of an assertion may have fractions, as msal writes them") func fractions() async throws {
        try await Cloud.run { cloud in
            func assertion(_ times: String) -> String {
                let claims = #"{"iss":"app-1","sub":"app-1","aud":"x",\#(times)}"#
                let parts = [#"{"alg":"RS256","typ":"JWT"}"#, claims, "signature"].map { Base64.encodeURL(Array($0.utf8)) }
                return parts.joined(separator: ".")
            }
            let now = Cloud.now
            let good = #""exp":\#(now + 600).75,"iat":\#(now).25,"nbf":\#(now).5"#
            #expect(try await exchange(cloud, assertion: assertion(good)).status == 200)
            try expect(try await exchange(cloud, assertion: assertion(#""exp":\#(now - 1).75"#)), 700_024, status: 401)
            try expect(try await exchange(cloud, assertion: assertion(#""exp":1e300"#)), 50027, status: 401)
            try expect(try await exchange(cloud, assertion: assertion(#""exp":"\#(now + 600)""#)), 50027, status: 401)
        }
    }

    @Test("a secret is taken, and where secrets are known a wrong one is refused as wrong") func secrets() async throws {
        @Sendable func ask(_ cloud: Cloud, _ secret: String) async throws -> Answer {
            let form =
                "client_id=app-1&scope=https%3A%2F%2Fvault.azure.net%2F.default&grant_type=client_credentials&client_secret=\(secret)"
            return try await cloud.send(
                .post, "login.microsoftonline.com", "/\(Self.tenant)/oauth2/v2.0/token", body: Array(form.utf8),
                headers: [("Content-Type", "application/x-www-form-urlencoded")])
        }
        try await Cloud.run { cloud in
            let answer = try await ask(cloud, "anything")
            #expect(answer.status == 200)
            let token = try answer.json.string("access_token")
            #expect(try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4", bearer: token).status == 200)
            try expect(try await ask(cloud, ""), 900_144, status: 400)
        }
        try await Cloud.run({ $0.clientSecrets = ["app-1": "right"] }) { cloud in
            #expect(try await ask(cloud, "right").status == 200)
            try expect(try await ask(cloud, "wrong"), 7_000_215, status: 401)
        }
    }

    @Test("the documents that libraries read before") func documents() async throws {
        try await Cloud.run { cloud in
            let metadata = try await cloud.send(.get, "login.microsoftonline.com", "/\(Self.tenant)/v2.0/.well-known/openid-configuration")
            #expect(try metadata.json.string("token_endpoint") == "https://login.microsoftonline.com/\(Self.tenant)/oauth2/v2.0/token")
            let instance = try await cloud.send(.get, "login.microsoftonline.com", "/common/discovery/instance?api-version=1.1")
            #expect(try instance.json.array("metadata").count == 1)
        }
    }
}
