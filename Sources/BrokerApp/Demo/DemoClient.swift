#if Simulators && FixtureEvidence
    internal import Waiting
    internal import AzureSimulators
    internal import CurlTransport
    internal import HTTPTransport
    internal import OpenSSLCrypto
    internal import SecureMemory
    internal import StrictJSON

    /// The demo's owner of keys and its workload, as clients outside the broker: they speak HTTP to everybody.
    struct DemoClient: Sendable {
        static let userAgent = "attestation-broker-demo"

        private let transport: CurlTransport
        private let metadataPort: Int
        private let story: DemoStory

        init(_ cloud: LocalCloud, _ ports: SimulatorPorts, _ story: DemoStory) throws {
            self.story = story
            let trust = try TrustStore(files: [cloud.caFile], directories: [], includesSystemDefaults: false)
            transport = try CurlTransport(
                .init(
                    trust: { trust }, connectTo: [try ConnectOverride("::127.0.0.1:\(ports.tls)")], userAgent: Self.userAgent,
                    proxy: .none))
            metadataPort = ports.metadata
        }

        func shutdown() { transport.shutdown() }

        /// PUT /keys/{name} with a token for the store's own audience.
        func importKey(_ name: String, at host: String, _ jwk: JSONObject, _ policy: JSONValue) async throws {
            let store = try Endpoint(host)
            let body: JSONValue = [
                "key": .object(jwk), "hsm": true, "attributes": ["exportable": true],
                "release_policy": [
                    "contentType": "application/json; charset=utf-8", "data": .string(Base64.encodeURL(policy.serialized())),
                ],
            ]
            let response = try await transport.send(
                HTTPRequest(
                    .put, .service(store), path: "/keys/\(name)?api-version=7.4", headers: [("Content-Type", "application/json")],
                    bearer: try await token(for: host), body: body.serialized(), deadline: .after(.seconds(20))))
            guard response.status == 200 else {
                throw DemoMismatch("importing \(name) answered \(response.status): \(String(decoding: response.body, as: UTF8.self))")
            }
        }

        /// POST /key/release at the broker.
        func release(_ name: String, at store: String?, broker port: Int) async throws -> Released {
            var members: [(String, JSONValue)] = [("kid", .string(name))]
            if let store { members.append(("akv_endpoint", .string(store))) }
            let body = JSONValue.object(JSONObject(members)).serialized()
            story.note(.request("POST /key/release", body))
            let response = try await transport.send(
                HTTPRequest(
                    .post, .metadata(host: "127.0.0.1", port: port), path: "/key/release", headers: [("Content-Type", "application/json")],
                    body: body, deadline: .after(.seconds(30))))
            story.note(.answer(to: "POST /key/release", response.status, response.body))
            return Released(status: response.status, body: response.body)
        }

        private func token(for host: String) async throws -> Redacted<String> {
            let audience = "https://" + host.split(separator: ".").dropFirst().joined(separator: ".")
            let response = try await transport.send(
                HTTPRequest(
                    .get, .metadata(host: "127.0.0.1", port: metadataPort),
                    path: "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=\(audience)", headers: [("Metadata", "true")],
                    deadline: .after(.seconds(10))))
            return Redacted(try JSONCursor.parse(response.body).string("access_token"))
        }
    }

    /// The broker's answer to a release.
    struct Released: Sendable {
        let status: Int
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The released JWK, which travels as a string inside the answer.
        var key: JSONObject? {
            guard let text = try? JSONCursor.parse(body).string("key") else { return nil }
            return try? JSONCursor.parse(Array(text.utf8)).object()
        }

        func member(_ name: String) -> String { (try? JSONCursor.parse(body).string(name)) ?? "" }
    }
#endif
