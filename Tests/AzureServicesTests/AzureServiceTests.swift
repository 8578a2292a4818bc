import AzureServices
import HTTPTransport
import Testing

@Suite("Whose host a name is") struct AzureServiceTests {
    @Test(
        "case 16: a host of another service is named with its setting",
        arguments: [
            ("contoso.vault.azure.net", AzureService.attestation, "key-stores.akv.endpoint"),
            ("contoso.managedhsm.azure.net", .keyVault, "key-stores.mhsm.endpoint"),
            ("sharedeus2.eus2.attest.azure.net", .managedHSM, "verifier.maa.endpoint"),
            ("contoso.vault.usgovcloudapi.net", .managedHSM, "key-stores.akv.endpoint"),
            ("contoso.attest.azure.us", .keyVault, "verifier.maa.endpoint"),
        ]) func misplaced(host: String, service: AzureService, setting: String) throws
    { #expect(service.complaint(about: try Endpoint(host))?.contains(setting) == true) }

    @Test(
        "its own host, and a name that is not Azure's, are nobody's mistake",
        arguments: [
            ("contoso.vault.azure.net", AzureService.keyVault), ("contoso.managedhsm.azure.cn", .managedHSM),
            ("sharedeus2.eus2.attest.azure.net", .attestation), ("vault.example", .attestation),
            ("vault.azure.net.evil.example", .attestation),
        ]) func fitting(host: String, service: AzureService) throws
    { #expect(service.complaint(about: try Endpoint(host)) == nil) }
}
