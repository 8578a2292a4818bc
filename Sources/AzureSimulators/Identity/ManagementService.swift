internal import PlainText
internal import StrictJSON

/// Azure Resource Manager, as far as a login asks it: one tenant, and no subscription (EntraTokens.md, "Subscriptions").
struct ManagementService: SimulatedService {
    let issuer: AccessTokenIssuer
    let configuration: SimulatorConfiguration

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        switch (request.method, request.segments.map { $0.lowercased() }) {
        case ("GET", ["subscriptions"]): .subscriptions
        case ("GET", ["tenants"]): .tenants
        default: .other
        }
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let origin = "https://" + request.host
        // Clients ask by the name of the classic interface too.
        let audiences = [origin, origin + "/", "https://management.core.windows.net/", "https://management.core.windows.net"]
        let now = configuration.clock()
        guard let bearer = request.bearer, audiences.contains(where: { (try? issuer.check(bearer, audience: $0, now: now)) != nil }) else {
            return SimulatorResponse(
                error: 401, code: "AuthenticationFailed",
                message: "Authentication failed. The token is missing, expired or for somebody else.")
        }
        switch route(of: request) {
        case .subscriptions:
            return SimulatorResponse(json: ["value": [], "count": ["type": "Total", "value": 0]])
        case .tenants:
            let tenant = configuration.tenantID
            return SimulatorResponse(json: [
                "value": [
                    [
                        "id": .string("/tenants/" + tenant), "tenantId": .string(tenant), "tenantCategory": "Home",
                        "displayName": "Simulated", "defaultDomain": "simulated.onmicrosoft.com", "domains": ["simulated.onmicrosoft.com"],
                        "tenantType": "AAD",
                    ]
                ]
            ])
        default:
            return UnsimulatedOperation(
                "Azure Resource Manager, \(request.method) \(VisibleText.shortened(request.path))",
                instead: "stores and identities of the simulators need not be made; use their names"
            ).response
        }
    }
}
