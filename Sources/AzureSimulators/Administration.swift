internal import OpenSSLCrypto
package import StrictJSON

/// What tests, the demonstration and the command line may do without a socket.
extension AzureSimulators {
    /// How often each route was asked for, from sockets and from inside.
    package var requestCounts: [SimulatorRoute: Int] { faults.requests }

    /// How often a service was asked for anything.
    package func requestCount(_ service: SimulatorService) -> Int {
        requestCounts.reduce(0) { $1.key.service == service ? $0 + $1.value : $0 }
    }

    /// Arms a fault; faults of a route apply in the order in which they were armed.
    package func inject(_ fault: FaultRule) { faults.add(fault) }

    /// Disarms every fault.
    package func clearFaults() { faults.removeAll() }

    /// Takes permissions away from callers of the key stores.
    package func deny(_ denial: PermissionDenial) { permissions.add(denial) }

    /// Gives every permission back.
    package func clearDenials() { permissions.removeAll() }

    /// A bearer token as Entra would issue it, for example for `https://vault.azure.net`. The first configured identity is the default.
    package func accessToken(audience: String, identity: SimulatedIdentity? = nil, life: Int64? = nil) throws(SimulatorError) -> String {
        do {
            return try accessTokens.token(
                audience: audience, identity: identity ?? configuration.identities.first ?? .systemAssigned, now: configuration.clock(),
                life: life ?? configuration.accessTokenLife)
        } catch { throw SimulatorError("cannot sign the access token: \(error)") }
    }

    /// Signs any claims as the attestation provider `host`: tokens that its verification would never issue, such as expired ones.
    package func attestationToken(claims: JSONObject, host: String) async throws(SimulatorError) -> String {
        guard KnownHosts.role(of: host) == .attestation else { throw SimulatorError("\(host) is not the host of an attestation provider") }
        let instance = try await attestationInstances.instance(for: host)
        do { return try instance.token(claims, origin: "https://" + host) } catch {
            throw SimulatorError("cannot sign the attestation token: \(error)")
        }
    }

    /// Imports a key as PUT /keys/{name} does, without a bearer token. `body` is the request of KeyStores.md, "Import"; the result is the
    /// KeyBundle.
    @discardableResult package func importKey(_ name: String, at host: String, _ body: JSONObject, apiVersion: String = "7.4")
        async throws(SimulatorError) -> JSONObject
    { try await administer("PUT", "/keys/\(name)", at: host, body, apiVersion) }

    /// Creates a key as POST /keys/{name}/create does, without a bearer token. `body` is the request of KeyStores.md, "Create".
    @discardableResult package func createKey(_ name: String, at host: String, _ body: JSONObject, apiVersion: String = "7.4")
        async throws(SimulatorError) -> JSONObject
    { try await administer("POST", "/keys/\(name)/create", at: host, body, apiVersion) }

    private func administer(_ method: String, _ path: String, at host: String, _ body: JSONObject, _ apiVersion: String)
        async throws(SimulatorError) -> JSONObject
    {
        let store: KeyStoreService
        switch KnownHosts.role(of: host.lowercased()) {
        case .keyStore(.vault): store = vault
        case .keyStore(.managedHSM): store = managedHSM
        default: throw SimulatorError("\(host) is not the host of a key store")
        }
        let request = SimulatorRequest(
            method: method, authority: host.lowercased(), path: path, query: [FormItem(name: "api-version", value: apiVersion)],
            body: JSONValue.object(body).serialized())
        do {
            let response = try await store.answer(request, nil)
            return try JSONCursor.parse(response.body).object()
        } catch let error as KeyStoreRefusal {
            throw SimulatorError("\(error.status) \(error.message)\(error.explanation.map { " (\($0))" } ?? "")")
        } catch { throw SimulatorError("\(error)") }
    }
}
