import AzureSimulators
import HTTPTransport
import StrictJSON
import Testing

/// What a login asks of Azure Resource Manager.
struct ManagementTests {
    @Test(
        "a login finds one tenant and no subscription",
        arguments: ["https://management.azure.com", "https://management.azure.com/", "https://management.core.windows.net/"])
    func lists(_ audience: String) async throws {
        try await Cloud.run { cloud in
            let bearer = try cloud.simulators.accessToken(audience: audience)
            let subscriptions = try await cloud.send(
                .get, "management.azure.com", "/subscriptions?api-version=2022-12-01", bearer: bearer)
            #expect(try subscriptions.status == 200 && subscriptions.json.array("value").isEmpty)
            let tenants = try await cloud.send(.get, "management.azure.com", "/tenants?api-version=2022-12-01", bearer: bearer)
            #expect(try tenants.json.array("value").map { try $0.string("tenantId") } == ["12345678-1234-1234-1234-123456789012"])
        }
    }

    @Test("nobody is told anything without a token for it") func refused() async throws {
        try await Cloud.run { cloud in
            for bearer in [nil, "garbage", try cloud.bearer()] as [String?] {
                let answer = try await cloud.send(.get, "management.azure.com", "/subscriptions?api-version=2022-12-01", bearer: bearer)
                #expect(answer.status == 401 && answer.code == "AuthenticationFailed")
            }
        }
    }
}
