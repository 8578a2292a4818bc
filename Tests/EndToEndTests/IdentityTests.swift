import Foundation
import Testing

/// Every way to an access token releases a key, and asks no more often than it must.
@Suite(.serialized, .timeLimit(.minutes(5))) struct IdentityTests {
    /// A cloud that writes down what it is asked for, with one key in its Managed HSM.
    private struct Cloud {
        let azure: LocalAzure
        let key = SampleKeys.oct(32)

        init(_ options: [String] = []) throws {
            azure = try LocalAzure(["--verbose"] + options)
            let imported = try azure.importKey("identity", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy())
            #expect(imported.status == 200, "\(imported.object)")
        }

        /// One store, so that one audience.
        func serve(_ settings: [String], environment: [String: String] = [:]) throws -> Broker {
            try azure.serve(["key-stores.use=mhsm"] + settings, environment: environment)
        }

        func releases(_ broker: Broker, _ extra: [String: Any] = [:]) throws -> Bool {
            let release = try broker.release("identity", at: LocalAzure.managedHSM, extra)
            #expect(release.status == 200, "\(release.answer) \(broker.program.output)")
            return release.key?["k"] as? String == key["k"] as? String
        }
    }

    private static let user = (
        client: "33333333-cccc-4ccc-8ccc-333333333333", object: "44444444-dddd-4ddd-8ddd-444444444444",
        resource:
            "/subscriptions/55555555-eeee-4eee-8eee-555555555555/resourceGroups/simulated/providers/Microsoft.ManagedIdentity/userAssignedIdentities/broker"
    )

    @Test("managed identity: the machine's own, and one by each selector") func managedIdentity() throws {
        let cloud = try Cloud()
        defer { cloud.azure.stop() }
        let selectors = [
            [], ["identity.client-id=\(Self.user.client)"], ["identity.object-id=\(Self.user.object)"],
            ["identity.resource-id=\(Self.user.resource)"],
        ]
        for selector in selectors {
            let broker = try cloud.serve(["identity.use=managed-identity"] + selector)
            #expect(try cloud.releases(broker), "\(selector)")
            broker.program.stop()
        }
        let broker = try cloud.serve(["identity.use=managed-identity", "identity.client-id=\(Self.user.object)"])
        let refused = try broker.release("identity", at: LocalAzure.managedHSM)
        #expect(refused.code == "identityFailed" && refused.error.contains("Identity not found"), "\(refused.answer)")
    }

    @Test("the identity endpoint of App Service, with the header and not without") func appService() throws {
        let cloud = try Cloud()
        defer { cloud.azure.stop() }
        var environment = [
            "IDENTITY_ENDPOINT": "http://127.0.0.1:\(cloud.azure.metadataPort)/msi/token", "IDENTITY_HEADER": "simulated-identity-header",
        ]
        for selector in ["identity.use=auto", "identity.resource-id=\(Self.user.resource)"] {
            let broker = try cloud.serve(["identity.use=auto", selector], environment: environment)
            #expect(try cloud.releases(broker))
            broker.program.stop()
            #expect(!broker.program.output.contains("simulated-identity-header"))
        }
        #expect(cloud.azure.requests("identity-endpoint.token") >= 2)
        let metadataRequests = cloud.azure.requests("imds.token")
        environment["IDENTITY_HEADER"] = "another"
        let broker = try cloud.serve(["identity.use=app-service"], environment: environment)
        let refused = try broker.release("identity", at: LocalAzure.managedHSM)
        #expect(refused.code == "identityFailed" && refused.error.contains("X-IDENTITY-HEADER"), "\(refused.answer)")
        #expect(cloud.azure.requests("imds.token") == metadataRequests)
    }

    @Test("workload identity reads its file at each use, also when the platform has rotated it") func workloadIdentity() throws {
        // Tokens this short are never reused, so that each release reads the file.
        let cloud = try Cloud(["--access-token-life", "60"])
        defer { cloud.azure.stop() }
        let now = Int(Date().timeIntervalSince1970)
        func assertion(_ number: Int, expires: Int) throws -> Data {
            func part(_ object: [String: Any]) throws -> String { try JSONSerialization.data(withJSONObject: object).base64URL }
            let header = try part(["alg": "RS256", "typ": "JWT", "kid": "k"])
            let claims = try part([
                "iss": "https://oidc.test/", "sub": "system:serviceaccount:ns:sa", "jti": "\(number)",
                "aud": ["api://AzureADTokenExchange"], "iat": now - 7200, "nbf": now - 7200, "exp": expires,
            ])
            return Data("\(header).\(claims).\(Data("signature".utf8).base64URL)\n".utf8)
        }
        let file = try cloud.azure.scratch.write("federated", assertion(1, expires: now + 3600))
        let broker = try cloud.serve(
            ["identity.use=auto"],
            environment: [
                "AZURE_CLIENT_ID": Self.user.client, "AZURE_TENANT_ID": "12345678-1234-1234-1234-123456789012",
                "AZURE_FEDERATED_TOKEN_FILE": file.path, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
            ])
        #expect(try cloud.releases(broker))
        try assertion(2, expires: now - 3600).write(to: file, options: .atomic)
        let expired = try broker.release("identity", at: LocalAzure.managedHSM)
        #expect(expired.code == "identityFailed" && expired.error.contains("AADSTS"), "\(expired.answer)")
        try assertion(3, expires: now + 3600).write(to: file, options: .atomic)
        #expect(try cloud.releases(broker))
        #expect(cloud.azure.requests("imds.token") == 1, "for the import of the key")
    }

    @Test("a caller's token is used as it is, and without one there is nothing to use") func callerToken() throws {
        let cloud = try Cloud()
        defer { cloud.azure.stop() }
        let broker = try cloud.serve(["identity.use=none"])
        let token = try cloud.azure.token("https://managedhsm.azure.net")
        #expect(try cloud.releases(broker, ["access_token": token]))
        let without = try broker.release("identity", at: LocalAzure.managedHSM)
        #expect(without.code == "identityFailed" && without.error.contains("access token"), "\(without.answer)")
    }

    @Test("a token that is good for long is asked for once, one close to its end before each use") func renewal() throws {
        for life in [86_399, 60] {
            let cloud = try Cloud(["--access-token-life", "\(life)"])
            defer { cloud.azure.stop() }
            let broker = try cloud.serve([])
            // The broker's first look at its services is one use of the identity too.
            #expect(try broker.get("/readyz").status == 200)
            let before = cloud.azure.requests("imds.token")
            for _ in 0..<4 { #expect(try cloud.releases(broker)) }
            let during = cloud.azure.requests("imds.token") - before
            if life > 300 { #expect(during == 0) } else { #expect(during >= 4, "one for each release at least") }
        }
    }

    @Test("200 releases at the same time ask for one token") func singleFlight() throws {
        let cloud = try Cloud()
        defer { cloud.azure.stop() }
        let before = cloud.azure.requests("imds.token")
        let broker = try cloud.serve(["release-session.max-age=60s"])
        let result = try Program.run(
            [
                "--json", "--url", "http://127.0.0.1:\(broker.port)/key/release", "--body",
                #"{"kid":"identity","akv_endpoint":"contoso.managedhsm.azure.net"}"#, "--connections", "200", "--requests", "200",
                "--duration",
                "120", "--warm-up", "0",
            ], executable: Program.executable("broker-load"))
        #expect(result.object["succeeded"] as? Int == 200, "\(result.text) \(result.errors)")
        #expect(cloud.azure.requests("imds.token") - before == 1)
    }
}
