internal import Waiting
internal import AzureServices
package import BrokerCore
internal import HTTPTransport
internal import SecureMemory

extension KeyManager {
    /// Looks at the access token before the store sees it: at its audience, its times, and its tenant, which a store names to whoever asks
    /// without a token (KeyStores.md, "Bearer challenge"). A token that is no JWT is left to the store.
    package func examineToken(in context: RequestContext) async throws(BrokerError) {
        guard let bearer, let content = AccessTokenContent(bearer) else { return }
        if let complaint = content.complaint(wanted: audience, now: host.clock.now()) { throw advised(complaint) }
        guard content.tenant != nil, let tenant = await storeTenant(in: context) else { return }
        if let complaint = content.complaint(storeTenant: tenant) { throw advised(complaint, tenant: tenant) }
    }

    /// The error of an identity that gives no token, with the other way to one.
    package func withoutToken(_ error: BrokerError) -> BrokerError {
        var details =
            error.details ?? .init(cause: "no-access-token", summary: "no access token was given, and this machine's identity has none")
        details.nextSteps.append(command())
        return error.explained(by: details)
    }

    private func advised(_ error: BrokerError, tenant: String? = nil) -> BrokerError {
        var details = error.details
        details?.nextSteps = [command(tenant: tenant)]
        return error.explained(by: details)
    }

    private func command(tenant: String? = nil) -> String {
        "\(AccessTokenContent.command(audience: audience, tenant: tenant)) gives one; hand it over with --access-token-file FILE "
            + "(- is standard input) or in BROKER_ACCESS_TOKEN"
    }

    /// The last part of the address where the store wants tokens to come from; `nil` where it does not say.
    private func storeTenant(in context: RequestContext) async -> String? {
        let request = HTTPRequest(
            .get, .service(store), path: "/keys?maxresults=1&api-version=7.4", headers: [("Accept", "application/json")],
            deadline: context.deadline.capped(at: .seconds(10)))
        guard let response = try? await host.transport.send(request), response.status == 401 else { return nil }
        let challenge = BearerChallenge(response.header("www-authenticate") ?? "")
        let address = challenge["authorization"] ?? challenge["authorization_uri"]
        return address?.split(separator: "/").last.map(String.init)
    }
}
