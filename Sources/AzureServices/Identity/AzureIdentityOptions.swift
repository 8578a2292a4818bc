internal import BrokerCore

/// How the broker proves who it is to Azure. Unset members are filled from the environment, which never overrides a set one.
package struct AzureIdentityOptions: Sendable, Equatable {
    /// Where tokens come from; the raw values are those of the setting `identity.use`.
    package enum Use: String, SettingChoice {
        /// Workload identity when its three values are there, otherwise the machine's managed identity, from the endpoint that the
        /// environment names or from IMDS.
        case auto
        /// From IMDS.
        case managedIdentity = "managed-identity"
        /// From the endpoint that App Service, Functions and Container Apps name (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`).
        case appService = "app-service"
        case workloadIdentity = "workload-identity"
        /// Nowhere: every release needs a caller's token.
        case none
    }

    package var use: Use
    package var cloud: AzureCloud
    /// Client id of a user-assigned identity, or of the application of a workload identity (`AZURE_CLIENT_ID`).
    package var clientID: String?
    /// Principal id of a user-assigned identity.
    package var objectID: String?
    /// ARM resource id of a user-assigned identity.
    package var resourceID: String?
    /// Tenant of a workload identity (`AZURE_TENANT_ID`).
    package var tenantID: String?
    /// File with the federated token (`AZURE_FEDERATED_TOKEN_FILE`).
    package var federatedTokenFile: String?
    /// Host of the token endpoint (`AZURE_AUTHORITY_HOST`); the cloud's own by default.
    package var authorityHost: String?
    /// `http://host[:port]` of the metadata service (`AZURE_POD_IDENTITY_AUTHORITY_HOST`). The well-known address counts as unset.
    package var imdsEndpoint: String?
    /// Whether this is a confidential container group: IMDS is there, and the variables of other environments mean little
    /// (ManagedIdentity.md, "Container groups").
    package var isConfidentialGroup = false
    /// Bound on one attempt. The request's deadline bounds them all.
    package var timeout: Duration

    /// Where the metadata service is on every Azure machine.
    package static let wellKnownMetadataEndpoint = "http://169.254.169.254"

    package init(use: Use, cloud: AzureCloud, timeout: Duration) {
        self.use = use
        self.cloud = cloud
        self.timeout = timeout
    }
}
