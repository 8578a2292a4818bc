internal import JOSE
internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// Entra's token endpoint for client assertions, and the documents around it (EntraTokens.md, "Federated exchange").
struct EntraService: SimulatedService {
    let issuer: AccessTokenIssuer
    let configuration: SimulatorConfiguration

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        let segments = request.segments
        if request.method == "POST", segments.count >= 3, segments[1] == "oauth2", segments.last == "token" { return .entraToken }
        guard request.method == "GET" else { return .other }
        return segments.contains("discovery") || segments.last == "openid-configuration" ? .entraMetadata : .other
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let segments = request.segments
        switch route(of: request) {
        case .entraToken: do { return try exchange(request, tenant: segments[0]) } catch { return failure(error) }
        case .entraMetadata where segments.last == "keys": return SimulatorResponse(json: issuer.keySet)
        case .entraMetadata where segments.last == "instance": return instances(request)
        case .entraMetadata: return metadata(request, tenant: segments[0])
        default:
            return UnsimulatedOperation(
                "Entra, \(request.method) \(VisibleText.shortened(request.path))",
                instead: "log in as an application, by secret, certificate or federated token, or as a managed identity"
            ).response
        }
    }

    // MARK: Token

    /// A refusal with its AADSTS number.
    struct Refusal: Error {
        var status = 400
        var error = "invalid_request"
        var number: Int
        var text: String
    }

    private func exchange(_ request: SimulatorRequest, tenant: String) throws(Refusal) -> SimulatorResponse {
        guard tenant.lowercased() == issuer.tenantID.lowercased() else {
            throw Refusal(
                number: 90002,
                text: "Tenant '\(VisibleText.shortened(tenant))' not found. Check to make sure you have the correct tenant ID and "
                    + "are signing into the correct cloud.")
        }
        guard let form = FormItem.decode(request.body) else {
            throw Refusal(number: 900_144, text: "The request body cannot be read as a form.")
        }
        func value(_ name: String) throws(Refusal) -> String {
            guard let item = form.first(where: { $0.name == name }), !item.value.isEmpty else {
                throw Refusal(number: 900_144, text: "The request body must contain the following parameter: '\(name)'.")
            }
            return item.value
        }
        guard try value("grant_type") == "client_credentials" else {
            throw Refusal(error: "unsupported_grant_type", number: 70003, text: "The app requested an unsupported grant type.")
        }
        let clientID = try value("client_id")
        let resource = try resource(form)
        if form.contains(where: { $0.name == "client_assertion" }) {
            guard try value("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" else {
                throw Refusal(number: 50027, text: "The client assertion type is not supported.")
            }
            try ClientAssertion.check(
                try value("client_assertion"), clientID: clientID, credentials: configuration.federatedCredentials,
                now: configuration.clock())
        } else if form.contains(where: { $0.name == "client_secret" }) {
            try check(secret: try value("client_secret"), clientID: clientID)
        } else {
            throw Refusal(
                status: 401, error: "invalid_client", number: 7_000_218,
                text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
        }
        let identity =
            configuration.identities.first { $0.clientID.lowercased() == clientID.lowercased() }
            ?? SimulatedIdentity(clientID: clientID, objectID: Self.derivedObjectID(clientID))
        do {
            let token = try issuer.token(
                audience: resource, identity: identity, now: configuration.clock(), life: configuration.accessTokenLife)
            return SimulatorResponse(
                json: [
                    "token_type": "Bearer", "expires_in": .integer(configuration.accessTokenLife),
                    "ext_expires_in": .integer(configuration.accessTokenLife), "access_token": .string(token),
                ], headers: [("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache")])
        } catch { throw Refusal(status: 503, error: "temporarily_unavailable", number: 90033, text: "A transient error.") }
    }

    private func check(secret: String, clientID: String) throws(Refusal) {
        guard !configuration.clientSecrets.isEmpty else { return }
        guard configuration.clientSecrets[clientID.lowercased()] == secret else {
            throw Refusal(
                status: 401, error: "invalid_client", number: 7_000_215,
                text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
                    + "client secret ID, for a secret added to app '\(VisibleText.shortened(clientID))'.")
        }
    }

    /// Version 2 asks by `scope` (`…/.default`), version 1 by `resource`.
    private func resource(_ form: [FormItem]) throws(Refusal) -> String {
        if let scope = form.first(where: { $0.name == "scope" })?.value {
            guard scope.hasSuffix("/.default"), scope.hasPrefix("https://") else {
                throw Refusal(
                    error: "invalid_scope", number: 1_002_012,
                    text: "The provided value for scope \(VisibleText.shortened(scope)) is not valid. Client credential flows must "
                        + "have a scope value with /.default suffixed to the resource identifier.")
            }
            return String(scope.dropLast("/.default".utf8.count))
        }
        guard let resource = form.first(where: { $0.name == "resource" })?.value, resource.hasPrefix("https://") else {
            throw Refusal(number: 900_144, text: "The request body must contain the following parameter: 'scope'.")
        }
        return resource
    }

    private func failure(_ refusal: Refusal) -> SimulatorResponse {
        let trace = SecureRandom.uuid()
        let correlation = SecureRandom.uuid()
        let time = RFC3339.spaced(configuration.clock())
        return SimulatorResponse(
            refusal.status,
            json: [
                "error": .string(refusal.error),
                "error_description": .string(
                    "AADSTS\(refusal.number): \(refusal.text) Trace ID: \(trace) Correlation ID: \(correlation) " + "Timestamp: \(time)"),
                "error_codes": [.integer(Int64(refusal.number))], "timestamp": .string(time), "trace_id": .string(trace),
                "correlation_id": .string(correlation),
                "error_uri": .string("https://login.microsoftonline.com/error?code=\(refusal.number)"),
            ])
    }

    /// An object id for an application that was not configured: always the same one.
    private static func derivedObjectID(_ clientID: String) -> String {
        let digits = Array(Hex.encode(DigestAlgorithm.sha256.digest(Array(clientID.lowercased().utf8)).prefix(16)))
        return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]].map { String($0) }.joined(separator: "-")
    }

    // MARK: Documents

    private func metadata(_ request: SimulatorRequest, tenant: String) -> SimulatorResponse {
        let base = "\(request.origin)/\(tenant)"
        return SimulatorResponse(json: [
            "issuer": .string(request.segments.contains("v2.0") ? "\(base)/v2.0" : issuer.issuer),
            "token_endpoint": .string("\(base)/oauth2/v2.0/token"), "authorization_endpoint": .string("\(base)/oauth2/v2.0/authorize"),
            "jwks_uri": .string("\(request.origin)/common/discovery/v2.0/keys"), "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        ])
    }

    /// What authentication libraries ask before they trust an authority host.
    private func instances(_ request: SimulatorRequest) -> SimulatorResponse {
        SimulatorResponse(json: [
            "tenant_discovery_endpoint": .string("\(request.origin)/\(issuer.tenantID)/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [
                [
                    "preferred_network": "login.microsoftonline.com", "preferred_cache": "login.windows.net",
                    "aliases": ["login.microsoftonline.com", "login.windows.net", .string(request.host)],
                ]
            ],
        ])
    }
}
