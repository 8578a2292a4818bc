import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("The identity endpoint of App Service, and environments that only look like it") struct AppServiceTests {
    private static let secret = "canary-identity-header"
    private static let variables = ["IDENTITY_ENDPOINT": "http://localhost:42356/msi/token", "IDENTITY_HEADER": secret]

    private func firstRequest(_ options: AzureIdentityOptions = AzureIdentityOptions(), _ environment: [String: String]) async throws
        -> HTTPRequest?
    {
        let fixture = try IdentityFixture(options, environment: environment, script: [.success(metadataToken())])
        _ = try await fixture.token()
        return fixture.transport.requests.first
    }

    @Test("asks the endpoint, with its header, and shows the header to nobody") func requestShape() async throws {
        let fixture = try IdentityFixture(environment: Self.variables, script: [.success(metadataToken())])
        #expect(try await fixture.token() == canary)
        let request = try #require(fixture.transport.requests.first)
        #expect(request.target == .metadata(host: "localhost", port: 42356))
        #expect(request.path == "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net")
        #expect(request.headers.contains { $0.name == "X-IDENTITY-HEADER" && $0.value == Self.secret })
        #expect(!fixture.log.lines.joined().contains(Self.secret))
        #expect(fixture.log.lines.contains { $0.contains("IDENTITY_ENDPOINT and IDENTITY_HEADER are set") })
    }

    @Test("names one of several identities as this endpoint wants it") func selectors() async throws {
        for (options, query) in [
            (AzureIdentityOptions(clientID: "c"), "&client_id=c"), (AzureIdentityOptions(objectID: "o"), "&object_id=o"),
            (AzureIdentityOptions(resourceID: "/r"), "&mi_res_id=%2Fr"),
        ] { #expect(try await firstRequest(options, Self.variables)?.path.hasSuffix(query) == true) }
    }

    @Test(
        "the variables do not count where they are half there or mean something else",
        arguments: [
            ["IDENTITY_ENDPOINT": ""], ["IDENTITY_HEADER": ""], ["IDENTITY_SERVER_THUMBPRINT": "AB"],
            ["IDENTITY_ENDPOINT": "https://localhost:2377/metadata/identity/oauth2/token"],
            ["IDENTITY_ENDPOINT": "http://user@localhost/msi/token"], ["IDENTITY_ENDPOINT": "http://localhost"],
            ["IDENTITY_ENDPOINT": "http://localhost:0/x"], ["IDENTITY_ENDPOINT": "http://localhost/a b"],
            ["IDENTITY_ENDPOINT": "http://localhost/a?b=c"], ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://169.254.169.254"],
        ]) func ignored(change: [String: String]) async throws
    {
        let request = try await firstRequest(AzureIdentityOptions(), Self.variables.merging(change) { $1 })
        #expect(request?.path.hasPrefix("/metadata/identity/oauth2/token?") == true)
        #expect(request?.headers.contains { $0.name == "X-IDENTITY-HEADER" } == false)
    }

    @Test("a chosen managed identity asks the metadata service, a chosen endpoint needs its variables") func explicit() async throws {
        let managed = try await firstRequest(AzureIdentityOptions(use: .managedIdentity), Self.variables)
        #expect(managed?.target == .metadata(host: "169.254.169.254", port: 80))
        for missing in Self.variables.keys {
            var environment = Self.variables
            environment[missing] = nil
            #expect(throws: BrokerError.self) {
                try IdentityFixture(AzureIdentityOptions(use: .appService), environment: environment, script: [])
            }
        }
        #expect(throws: BrokerError.self) {
            try IdentityFixture(
                AzureIdentityOptions(use: .appService), environment: ["IDENTITY_ENDPOINT": "http://a/b", "IDENTITY_HEADER": "line\nbreak"],
                script: [])
        }
    }

    @Test("in a confidential group the metadata service comes first, and the endpoint where there is none") func confidentialGroup()
        async throws
    {
        var options = AzureIdentityOptions()
        options.isConfidentialGroup = true
        // As the platform injects them of late, thumbprint and all.
        let environment = Self.variables.merging(["IDENTITY_SERVER_THUMBPRINT": "AB", "IMDS_ENDPOINT": "x"]) { $1 }
        #expect(try await firstRequest(options, environment)?.target == .metadata(host: "169.254.169.254", port: 80))

        let silence = Result<HTTPResponse, HTTPTransportError>.failure(.connectionFailed(reason: "refused"))
        let fixture = try IdentityFixture(
            options, environment: environment, script: [silence, silence, silence, .success(metadataToken())])
        #expect(try await fixture.token() == canary)
        #expect(fixture.transport.requests.last?.target == .metadata(host: "localhost", port: 42356))

        // A service that answers is there: its no is the answer.
        let refused = try IdentityFixture(
            options, environment: environment,
            script: [.success(answer(400, #"{"error":"invalid_request","error_description":"Identity not found"}"#))])
        #expect(await refused.failure()?.code == .identityFailed)
        #expect(refused.transport.requests.count == 1)
    }

    @Test("both being silent says so of both") func bothSilent() async throws {
        var options = AzureIdentityOptions()
        options.isConfidentialGroup = true
        let silence = Result<HTTPResponse, HTTPTransportError>.failure(.connectionFailed(reason: "refused"))
        let fixture = try IdentityFixture(options, environment: Self.variables, script: Array(repeating: silence, count: 6))
        let error = try #require(await fixture.failure())
        #expect(error.code == .upstreamUnavailable)
        #expect(error.message.contains("metadata service") && error.message.contains("identity endpoint"))
        #expect(!error.message.contains(Self.secret))
    }

    @Test("the endpoint's own form of an error is shown") func refusal() async throws {
        let body = #"{"statusCode":400,"message":"No User Assigned Identity found for specified ClientId"}"#
        let fixture = try IdentityFixture(environment: Self.variables, script: [.success(answer(400, body))])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed && error.message.contains("No User Assigned Identity"))
    }
}
