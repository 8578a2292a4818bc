internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// The services behind 169.254.169.254: managed identity tokens and AMD certificates (ManagedIdentity.md, "Token request";
/// AMDEndorsements.md, "THIM").
struct MetadataService: SimulatedService {
    let issuer: AccessTokenIssuer
    let configuration: SimulatorConfiguration
    private let tokens = MetadataTokenCache()

    init(issuer: AccessTokenIssuer, configuration: SimulatorConfiguration) {
        self.issuer = issuer
        self.configuration = configuration
    }

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        guard request.method == "GET" else { return .other }
        // THIM is asked for in several spellings; IMDS compares paths without regard to case.
        return switch request.segments.map({ $0.lowercased() }) {
        case ["metadata", "identity", "oauth2", "token"]: .imdsToken
        case ["metadata", "thim", "amd", "certification"]: .thim
        case ["msi", "token"]: .identityEndpoint
        default: .other
        }
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let route = route(of: request)
        guard route != .other else {
            guard request.segments.first?.lowercased() == "metadata" else {
                return Self.failure(404, "not_found", "The requested path is not part of the metadata service.")
            }
            let operation = UnsimulatedOperation(
                "metadata service, \(request.method) \(VisibleText.shortened(request.path))",
                instead: "tokens of managed identities and AMD's certificates (THIM) are there")
            return Self.failure(UnsimulatedOperation.status, UnsimulatedOperation.code, operation.message)
        }
        if route == .identityEndpoint { return endpointToken(request) }
        guard request.header("metadata") == "true" else {
            return Self.failure(400, "bad_request_102", "Required metadata header not specified")
        }
        guard request.header("x-forwarded-for") == nil else {
            return Self.failure(400, "bad_request_100", "Requests through a proxy are refused: X-Forwarded-For is set")
        }
        return route == .thim ? endorsements() : token(request)
    }

    // MARK: Managed identity

    private func token(_ request: SimulatorRequest) -> SimulatorResponse {
        guard let version = request.queryValue("api-version"), DatedVersion.isDated(version, from: "2018-02-01") else {
            return Self.failure(400, "invalid_request", "Required query variable 'api-version' is missing or not supported")
        }
        guard let resource = request.queryValue("resource"), !resource.isEmpty else {
            return Self.failure(400, "invalid_request", "Required query variable 'resource' is missing")
        }
        guard resource.hasPrefix("https://"), !resource.hasSuffix("/.default"), resource.utf8.count <= 300 else {
            return Self.failure(
                400, "invalid_resource",
                "AADSTS500011: The resource principal named \(VisibleText.shortened(resource)) was not found in the tenant.")
        }
        return token(request, for: resource)
    }

    /// As the endpoint that App Service names in IDENTITY_ENDPOINT answers (ManagedIdentity.md, "Other endpoints").
    private func endpointToken(_ request: SimulatorRequest) -> SimulatorResponse {
        func failure(_ status: Int, _ message: String) -> SimulatorResponse {
            SimulatorResponse(status, json: ["statusCode": .integer(Int64(status)), "message": .string(message)])
        }
        guard request.header("x-identity-header") == configuration.identityHeader else {
            return failure(401, "The X-IDENTITY-HEADER field is missing or wrong.")
        }
        guard request.queryValue("api-version") == "2019-08-01" else { return failure(400, "The api-version is not supported.") }
        guard let resource = request.queryValue("resource"), resource.hasPrefix("https://") else {
            return failure(400, "The resource is missing or unknown.")
        }
        return token(request, for: resource)
    }

    private func token(_ request: SimulatorRequest, for resource: String) -> SimulatorResponse {
        let named = Self.selectors.compactMap { name in request.queryValue(name).map { (name: name, value: $0) } }
        guard named.count <= 1 else {
            return Self.failure(400, "invalid_request", "Only one of client_id, object_id and msi_res_id may be specified")
        }
        let identity =
            named.first.map { selector in configuration.identities.first { $0.isSelected(by: selector.name, selector.value) } }
            ?? configuration.identities.first
        guard let identity else { return Self.failure(400, "invalid_request", "Identity not found") }
        let now = configuration.clock()
        let life = configuration.accessTokenLife
        let given: MetadataTokenCache.Entry
        do throws(CryptoError) {
            given = try tokens.entry(for: MetadataTokenCache.Wish(resource: resource, clientID: identity.clientID), now: now, life: life) {
                () throws(CryptoError) in try issuer.token(audience: resource, identity: identity, now: now, life: life)
            }
        } catch { return Self.failure(500, "unknown", "Failed to retrieve token from the Active directory") }
        let left = String(given.issuedAt + life - now)
        return SimulatorResponse(json: [
            "access_token": .string(given.token), "client_id": .string(identity.clientID), "expires_in": .string(left),
            "expires_on": .string(String(given.issuedAt + life)), "ext_expires_in": .string(left),
            "not_before": .string(String(given.issuedAt)), "refresh_token": "", "resource": .string(resource), "token_type": "Bearer",
        ])
    }

    /// MSAL and older clients name the resource id differently.
    private static let selectors = ["client_id", "object_id", "principal_id", "msi_res_id", "mi_res_id"]

    private static func failure(_ status: Int, _ error: String, _ text: String) -> SimulatorResponse {
        SimulatorResponse(status, json: ["error": .string(error), "error_description": .string(text)])
    }

    // MARK: THIM

    private func endorsements() -> SimulatorResponse {
        guard let chain = configuration.endorsements else { return Self.failure(404, "not_found", "The platform has no AMD certificates") }
        return SimulatorResponse(json: [
            "vcekCert": .string(chain.leaf.textPEM), "tcbm": .string(chain.tcb),
            "certificateChain": .string(chain.intermediate.textPEM + chain.root.textPEM), "cacheControl": "86400",
        ])
    }
}

extension SimulatedIdentity {
    /// Identifiers are compared without regard to case.
    fileprivate func isSelected(by selector: String, _ value: String) -> Bool {
        let own =
            switch selector {
            case "client_id": Optional(clientID)
            case "object_id", "principal_id": objectID
            default: resourceID
            }
        return own?.lowercased() == value.lowercased()
    }
}

extension Certificate {
    /// PEM that ends with a newline, as the services send it.
    var textPEM: String { pem.hasSuffix("\n") ? pem : pem + "\n" }
}
