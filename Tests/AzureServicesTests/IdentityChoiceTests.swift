import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("Choice of identity") struct IdentityChoiceTests {
    private let workload = ["AZURE_CLIENT_ID": "client", "AZURE_TENANT_ID": "tenant", "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"]

    /// Whether a source with these inputs asks the metadata service.
    private func asksMetadata(_ options: AzureIdentityOptions, _ environment: [String: String]) async throws -> HTTPRequest? {
        let fixture = try IdentityFixture(options, environment: environment, script: [.success(metadataToken())])
        _ = await fixture.failure()
        return fixture.transport.requests.first
    }

    @Test("auto is workload identity only when all three values are there") func auto() async throws {
        #expect(try await asksMetadata(AzureIdentityOptions(), workload) == nil, "the token file cannot be read")
        for name in workload.keys {
            for value in [String?.none, ""] {
                var environment = workload
                environment[name] = value
                #expect(try await asksMetadata(AzureIdentityOptions(), environment) != nil, "without \(name)")
            }
        }
        #expect(try await asksMetadata(AzureIdentityOptions(), [:]) != nil)
    }

    @Test("a setting is never overridden by the environment") func settingsWin() async throws {
        let managed = try await asksMetadata(AzureIdentityOptions(use: .managedIdentity, clientID: "mine"), workload)
        #expect(managed?.path.hasSuffix("&client_id=mine") == true)
        let object = try await asksMetadata(AzureIdentityOptions(objectID: "object"), workload)
        #expect(object?.path.hasSuffix("&object_id=object") == true)
        let simulator = try await asksMetadata(
            AzureIdentityOptions(imdsEndpoint: "http://127.0.0.1:8081"), ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://other:1"])
        #expect(simulator?.target == .metadata(host: "127.0.0.1", port: 8081))
    }

    @Test("the metadata address can come from the environment, also beside the configured default") func metadataVariable() async throws {
        let environment = ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://localhost:8081/"]
        for endpoint in [nil, AzureIdentityOptions.wellKnownMetadataEndpoint] {
            let request = try await asksMetadata(AzureIdentityOptions(imdsEndpoint: endpoint), environment)
            #expect(request?.target == .metadata(host: "localhost", port: 8081))
        }
    }

    @Test("AZURE_CLIENT_ID names the managed identity too") func clientVariable() async throws {
        let request = try await asksMetadata(AzureIdentityOptions(), ["AZURE_CLIENT_ID": "c"])
        #expect(request?.path.hasSuffix("&client_id=c") == true)
    }

    @Test(
        "inputs that cannot work are refused at start, in words",
        arguments: [
            (AzureIdentityOptions(clientID: "a", objectID: "b"), "exclude each other"),
            (AzureIdentityOptions(use: .workloadIdentity), "AZURE_TENANT_ID"),
            (AzureIdentityOptions(imdsEndpoint: "https://169.254.169.254"), "http://host"),
            (AzureIdentityOptions(imdsEndpoint: "http://169.254.169.254/metadata"), "http://host"),
            (AzureIdentityOptions(imdsEndpoint: "http://a:b:c"), "http://host"),
            (AzureIdentityOptions(imdsEndpoint: "http://user@host"), "http://host"),
            (AzureIdentityOptions(imdsEndpoint: "http://host:99999"), "http://host"),
        ]) func misconfigured(options: AzureIdentityOptions, words: String)
    {
        do {
            _ = try IdentityFixture(options, script: [])
            Issue.record("accepted")
        } catch let error as BrokerError {
            #expect(error.code == .misconfigured)
            #expect(error.message.contains(words), "\(error.message)")
        } catch { Issue.record("another error: \(error)") }
    }

    @Test("no identity at all says what to do") func none() async throws {
        let fixture = try IdentityFixture(AzureIdentityOptions(use: .none), environment: workload, script: [])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(error.message.contains("send an access token"))
        #expect(fixture.transport.requests.isEmpty)
    }

    @Test("the choice and its reason are logged") func reason() throws {
        let fixture = try IdentityFixture(environment: ["AZURE_CLIENT_ID": "c"], script: [])
        #expect(fixture.log.lines.contains { $0.contains("AZURE_TENANT_ID") && $0.contains("managed identity") })
    }
}

@Suite("Azure clouds") struct AzureCloudTests {
    /// AzureClouds.md, "Names and audiences".
    @Test("suffixes and audiences of the three clouds") func table() throws {
        #expect(AzureCloud.public.vaultAudience == "https://vault.azure.net")
        #expect(AzureCloud.public.managedHSMAudience == "https://managedhsm.azure.net")
        #expect(AzureCloud.public.attestationSuffix == "attest.azure.net")
        #expect(AzureCloud.usGovernment.vaultSuffix == "vault.usgovcloudapi.net")
        #expect(AzureCloud.usGovernment.managedHSMSuffix == "managedhsm.usgovcloudapi.net")
        #expect(AzureCloud.usGovernment.attestationSuffix == "attest.azure.us")
        #expect(AzureCloud.china.vaultAudience == "https://vault.azure.cn")
        #expect(AzureCloud.china.attestationSuffix == nil)
        #expect(try AzureCloud(named: "us-government") == .usGovernment)
        #expect(throws: BrokerError.self) { try AzureCloud(named: "mars") }
    }
}
