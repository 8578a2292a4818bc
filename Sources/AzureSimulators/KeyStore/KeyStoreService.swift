internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON
internal import Synchronization

/// Key Vault or Managed HSM, for every store name at once (KeyStores.md, "Overview").
struct KeyStoreService: SimulatedService {
    /// Longest explanation that is sent, in bytes.
    private static let maximumExplanationBytes = 2000

    let personality: KeyStorePersonality
    let content: KeyStoreContent
    let accessTokens: AccessTokenIssuer
    let authority: CertificateAuthority
    let attestationAuthorities: AuthorityKeyFinder
    let permissions: PermissionBoard
    let configuration: SimulatorConfiguration

    /// One request on its way through the handlers.
    struct Call: Sendable {
        let request: SimulatorRequest
        let apiVersion: String
        let now: Int64

        var host: String { request.host }
    }

    func route(of request: SimulatorRequest) -> SimulatorRoute { KeyStoreOperation(request).route }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let activity = SecureRandom.uuid()
        var response: SimulatorResponse
        let caller: AccessTokenIssuer.Caller
        do throws(AccessTokenIssuer.Refusal) {
            // Official clients send their first request without a token and a body; nothing else is looked at then.
            guard let bearer = request.bearer else { return finished(unauthorized(nil, request), request, activity, latency: "0") }
            caller = try accessTokens.check(bearer, audience: audience(request.host), now: configuration.clock())
        } catch { return finished(unauthorized(error, request), request, activity, latency: "0") }
        do throws(KeyStoreRefusal) { response = try await answer(request, caller) } catch { response = refusal(error, activity) }
        return finished(response, request, activity, latency: "2")
    }

    /// What `respond` does once the caller is known. Administration comes in here.
    func answer(_ request: SimulatorRequest, _ caller: AccessTokenIssuer.Caller?) async throws(KeyStoreRefusal) -> SimulatorResponse {
        let operation = KeyStoreOperation(request)
        let version = try KeyAPIVersion.check(request.queryValue("api-version"), configuration.logger)
        if let name = operation.name { try Self.check(name: name) }
        if let caller, let permission = operation.permission, permissions.denies(caller, at: request.host, permission) {
            throw forbidden(caller, permission, request, key: operation.name)
        }
        let call = Call(request: request, apiVersion: version, now: configuration.clock())
        switch operation {
        case .create(let name): return try await create(name, call)
        case .import(let name): return try importKey(name, call)
        case .get(let name, let version): return try get(name, version: version, call)
        case .versions(let name): return try versions(name, call)
        case .list: return try list(call)
        case .update(let name, let version): return try update(name, version: version, call)
        case .delete(let name): return try delete(name, call)
        case .release(let name, let version): return try await release(name, version: version, call)
        case .secureWrap(let name, let version): return try secureWrap(name, version: version, call)
        case .secureUnwrap(let name, let version): return try await secureUnwrap(name, version: version, call)
        case .getDeleted(let name): return try getDeleted(name, call)
        case .listDeleted: return try listDeleted(call)
        case .recover(let name): return try recover(name, call)
        case .purge(let name): return try purge(name, call)
        case .unsimulated(let operation, let name):
            // A key that is not there is the first thing that the service would say.
            if let name { _ = try find(name, version: nil, call) }
            throw KeyStoreRefusal(operation)
        case .unknown: throw KeyStoreRefusal(404, "NotFound", "The requested path does not exist.")
        }
    }

    private static func check(name: String) throws(KeyStoreRefusal) {
        guard name.utf8.consists(of: .alphanumeric + "-", count: 1...127) else {
            throw .badParameter("The request URI contains an invalid name.")
        }
    }

    // MARK: Who asks

    /// Audience of access tokens: the host without its first label.
    private func audience(_ host: String) -> String { "https://" + host.drop { $0 != "." }.dropFirst() }

    /// 401 with a challenge: texts at the vault, an empty body at the HSM.
    private func unauthorized(_ reason: AccessTokenIssuer.Refusal?, _ request: SimulatorRequest) -> SimulatorResponse {
        let audience = audience(request.host)
        let challenge =
            "Bearer authorization=\"https://\(personality.challengeHost)/\(configuration.tenantID)\", " + "resource=\"\(audience)\""
        let text =
            switch reason {
            case nil: "AKV10000: Request is missing a Bearer or PoP token."
            case .malformed: "AKV10001: The bearer token cannot be read."
            case .expired: "AKV10001: The bearer token has expired."
            case .notYetValid: "AKV10001: The bearer token is not valid yet."
            case .unknownSigner(let header):
                "AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: '\(header)'."
            case .wrongAudience(let found): "AKV10022: Invalid audience. Expected \(audience), found: \(VisibleText.shortened(found))."
            case .wrongIssuer(let found):
                "AKV10032: Invalid issuer. Expected \(accessTokens.issuer), found \(VisibleText.shortened(found))."
            }
        var response =
            switch personality {
            case .vault: SimulatorResponse(error: 401, code: "Unauthorized", message: text)
            case .managedHSM: SimulatorResponse(401)
            }
        response.headers.append(("WWW-Authenticate", challenge))
        response.headers.append(("x-simulator-explanation", Self.headerText(text)))
        return response
    }

    private func forbidden(_ caller: AccessTokenIssuer.Caller, _ permission: KeyPermission, _ request: SimulatorRequest, key: String?)
        -> KeyStoreRefusal
    {
        let store = String(request.host.prefix { $0 != "." })
        let resource =
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/simulated/providers/"
            + "\(personality.resourceType.lowercased())/\(store)" + (key.map { "/keys/\($0)" } ?? "")
        return .forbidden(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
                + "definitions were changed recently, please observe propagation time.\r\nCaller: \(caller.text)\r\n"
                + "Action: '\(personality.resourceType)/keys/\(permission.action)'\r\nResource: '\(resource)'\r\n"
                + "Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n" + "Vault: \(store);location=westus",
            inner: "ForbiddenByRbac", because: "the caller lacks the permission '\(permission.rawValue)'")
    }

    // MARK: Answers

    private func refusal(_ refusal: KeyStoreRefusal, _ activity: String) -> SimulatorResponse {
        var message = refusal.message
        if personality == .managedHSM { message += " (Activity ID: \(activity))" }
        var response = SimulatorResponse(error: refusal.status, code: refusal.code, message: message, inner: refusal.inner)
        if let explanation = refusal.explanation {
            response.headers.append(("x-simulator-explanation", Self.headerText(explanation)))
            configuration.logger.info("refused", metadata: ["status": "\(refusal.status)", "explanation": "\(explanation)"])
        }
        return response
    }

    private func finished(_ response: SimulatorResponse, _ request: SimulatorRequest, _ activity: String, latency: String)
        -> SimulatorResponse
    {
        var response = response
        switch personality {
        case .vault:
            response.headers += [
                ("Cache-Control", "no-cache"), ("Pragma", "no-cache"), ("Expires", "-1"), ("x-ms-keyvault-region", "westus"),
                ("x-ms-keyvault-service-version", "1.9.2000.0"),
                ("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"),
                ("x-ms-keyvault-rbac-assignment-id", "00000000-0000-0000-0000-000000000000"), ("x-ms-request-id", activity),
                ("Strict-Transport-Security", "max-age=31536000;includeSubDomains"), ("X-Content-Type-Options", "nosniff"),
            ]
            if let own = request.header("x-ms-client-request-id"), own.utf8.count <= 100 {
                response.headers.append(("x-ms-client-request-id", own))
            }
        case .managedHSM:
            response.headers += [
                ("cache-control", "no-cache"), ("content-security-policy", "default-src 'self'"), ("x-frame-options", "SAMEORIGIN"),
                ("x-ms-keyvault-region", "westus"), ("x-ms-request-id", activity), ("x-ms-server-latency", latency),
            ]
        }
        return response
    }

    /// One line of printable ASCII.
    static func headerText(_ text: String) -> String {
        let bytes = text.utf8.prefix(maximumExplanationBytes).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Which permissions are denied at the moment.
final class PermissionBoard: Sendable {
    private let denials: Mutex<[PermissionDenial]>

    init(_ denials: [PermissionDenial]) { self.denials = Mutex(denials) }

    func add(_ denial: PermissionDenial) { denials.withLock { $0.append(denial) } }
    func removeAll() { denials.withLock { $0.removeAll() } }

    func denies(_ caller: AccessTokenIssuer.Caller, at host: String, _ permission: KeyPermission) -> Bool {
        denials.withLock { $0.contains { $0.applies(to: caller, at: host, permission) } }
    }
}
