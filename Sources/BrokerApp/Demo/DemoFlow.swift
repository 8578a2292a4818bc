#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import CurlTransport
    internal import HTTPTransport
    internal import JOSE
    internal import OpenSSLCrypto
    internal import SNPFixture
    internal import SecureMemory
    internal import StrictJSON

    /// The steps of the demo that need the services: import, release, deny.
    struct DemoFlow: Sendable {
        let story: DemoStory
        let cloud: LocalCloud
        let ports: SimulatorPorts

        /// Returns the release policy of the keys.
        func run(guest: DemoBroker, debuggable: DemoBroker) async throws -> JSONValue {
            let client = try DemoClient(cloud, ports, story)
            defer { client.shutdown() }
            story.begin("Start the broker")
            let guestPort = try await guest.port
            story.end(
                "REST API on 127.0.0.1:\(guestPort), evidence 'fixture', verifier 'maa', key stores 'akv' and 'mhsm'.",
                "/status says \"evidence\":\"fixture\": nobody can mistake this for a real machine.")

            story.begin("Import an RSA key into the Key Vault")
            let hostData = Hex.encode(DigestAlgorithm.sha256.digest(SamplePolicy.bytes))
            let policy = releasePolicy(hostData: hostData)
            let key = try PrivateKey.generateRSA(bits: 2048)
            let jwk = try privateJWK(of: key)
            try await client.importKey("demo-rsa", at: LocalCloud.vault, jwk.with("kty", "RSA-HSM"), policy)
            story.end(
                "PUT https://\(LocalCloud.vault)/keys/demo-rsa, exportable, with a release policy on host data \(hostData.prefix(12))…",
                "The policy admits only \(LocalCloud.authority), this security policy, VMPL 0 and a guest that cannot be debugged.")

            story.begin("Import a symmetric key into the Managed HSM")
            let secret = Base64.encodeURL(SecureRandom.bytes(32))
            try await client.importKey("demo-oct", at: LocalCloud.managedHSM, ["kty": "oct-HSM", "k": .string(secret)], policy)
            story.end(
                "PUT https://\(LocalCloud.managedHSM)/keys/demo-oct, 256 bits, with the same policy.",
                "Symmetric keys live in Managed HSMs only; the broker asks either store through the same protocol.")

            story.begin("Release the RSA key over the broker's REST API")
            let rsa = try await client.release("demo-rsa", at: nil, broker: guestPort)
            guard rsa.status == 200 else { throw DemoMismatch("releasing demo-rsa answered \(rsa.status): \(rsa.text)") }
            for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] where rsa.key?[name] != jwk[name] {
                throw DemoMismatch("the released RSA key differs in '\(name)'")
            }
            story.end(
                "POST /key/release {\"kid\":\"demo-rsa\"}: report, MAA token, vault release, unwrap. All eight numbers equal the "
                    + "imported ones.",
                "The report commits to a single-use RSA key; the token names that key; the vault wrapped to it; its answer is signed and "
                    + "checked."
            )

            story.begin("Release the symmetric key from the Managed HSM")
            let oct = try await client.release("demo-oct", at: LocalCloud.managedHSM, broker: guestPort)
            guard oct.status == 200 else { throw DemoMismatch("releasing demo-oct answered \(oct.status): \(oct.text)") }
            guard oct.key?["k"] == .string(secret) else { throw DemoMismatch("the released symmetric key differs") }
            story.end(
                "The same request with \"akv_endpoint\":\"\(LocalCloud.managedHSM)\". The 32 bytes equal the imported ones.",
                "A new wrapping key and a new token for every release: nothing of the first one was used again.")

            story.begin("Deny it to a guest that can be debugged")
            let denied = try await client.release("demo-rsa", at: nil, broker: try await debuggable.port)
            guard denied.status == 403, denied.member("code") == "releaseDenied" else {
                throw DemoMismatch("a debuggable guest was answered \(denied.status): \(denied.text)")
            }
            let clauses = DemoClause.all(in: denied.body)
            guard clauses.filter({ !$0.isSatisfied }).map(\.claim) == ["x-ms-sevsnpvm-is-debuggable"] else {
                throw DemoMismatch("the denial names another clause than the one that failed: \(denied.text)")
            }
            story.end(
                "A second broker whose guest policy has the debug bit: 403, code \(denied.member("code")), stage "
                    + "\(denied.member("stage")). It names the clause that failed:",
                "MAA told the truth and the release policy said no. The key never left the vault.", clauses: clauses)
            return policy
        }

        private func releasePolicy(hostData: String) -> JSONValue {
            [
                "version": "1.0.0",
                "anyOf": [
                    [
                        "authority": .string("https://\(LocalCloud.authority)"),
                        "allOf": [
                            ["claim": "x-ms-attestation-type", "equals": "sevsnpvm"],
                            ["claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"],
                            ["claim": "x-ms-sevsnpvm-hostdata", "equals": .string(hostData)],
                            ["claim": "x-ms-sevsnpvm-vmpl", "equals": "0"],
                        ],
                    ]
                ],
            ]
        }

        private func privateJWK(of key: PrivateKey) throws -> JSONObject {
            let jwk = PrivateJWK.encode(try PrivateKeyNumbers(pkcs8DER: try key.pkcs8DER()), keyOperations: [])
            return try jwk.withUnsafeBytes { try JSONCursor.parse(Array($0)).object() }
        }
    }

    /// Something that the demo promised and that did not happen.
    struct DemoMismatch: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    extension JSONObject {
        fileprivate func with(_ name: String, _ value: JSONValue) -> JSONObject {
            var copy = self
            copy.set(name, value)
            return copy
        }
    }
#endif
