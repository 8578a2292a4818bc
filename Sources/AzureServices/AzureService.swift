package import HTTPTransport

/// Which of Azure's services a host name belongs to, in any cloud (AzureClouds.md, "Names and audiences").
package enum AzureService: Sendable, CaseIterable {
    case attestation, keyVault, managedHSM

    /// `nil` for names that Azure does not give out.
    package init?(_ endpoint: Endpoint) {
        let service = AzureCloud.allCases.lazy.compactMap { cloud -> AzureService? in
            if endpoint.isUnder(cloud.vaultSuffix) { return .keyVault }
            if endpoint.isUnder(cloud.managedHSMSuffix) { return .managedHSM }
            return cloud.attestationSuffix.map(endpoint.isUnder) == true ? .attestation : nil
        }.first
        guard let service else { return nil }
        self = service
    }

    private var noun: String {
        switch self {
        case .attestation: "an attestation provider"
        case .keyVault: "a key vault"
        case .managedHSM: "a Managed HSM"
        }
    }

    private var setting: String {
        switch self {
        case .attestation: "verifier.maa.endpoint"
        case .keyVault: "key-stores.akv.endpoint"
        case .managedHSM: "key-stores.mhsm.endpoint"
        }
    }

    /// What to say where `endpoint` was given for this service and is one of another.
    package func complaint(about endpoint: Endpoint) -> String? {
        guard let other = AzureService(endpoint), other != self else { return nil }
        return "\(endpoint) is \(other.noun), not \(noun); it belongs into \(other.setting)"
    }

    /// The first complaint about one of the list.
    package func complaint(about list: EndpointList) -> String? { list.endpoints.lazy.compactMap { complaint(about: $0) }.first }
}
