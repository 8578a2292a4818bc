/// How the broker proves who it is to Azure. Unset members are filled from the environment, which never overrides a set one.
public struct AzureIdentityOptions: Sendable, Equatable {
    /// Where tokens come from; the raw values are those of the setting `identity.use`.
    public enum Use: String, Sendable, CaseIterable {
        /// Workload identity when its three values are there, otherwise the machine's managed identity, from the endpoint that the environment names or from IMDS.
        case auto
        /// From IMDS.
        case managedIdentity = "managed-identity"
        /// From the endpoint that App Service, Functions and Container Apps name (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`).
        case appService = "app-service"
        case workloadIdentity = "workload-identity"
        /// Nowhere: every release needs a caller's token.
        case none
    }

    public var use: Use
    public var cloud: AzureCloud
    /// Client id of a user-assigned identity, or of the application of a workload identity (`AZURE_CLIENT_ID`).
    public var clientID: String?
    /// Principal id of a user-assigned identity.
    public var objectID: String?
    /// ARM resource id of a user-assigned identity.
    public var resourceID: String?
    /// Tenant of a workload identity (`AZURE_TENANT_ID`).
    public var tenantID: String?
    /// File with the federated token (`AZURE_FEDERATED_TOKEN_FILE`).
    public var federatedTokenFile: String?
    /// Host of the token endpoint (`AZURE_AUTHORITY_HOST`); the cloud's own by default.
    public var authorityHost: String?
    /// `http://host[:port]` of the metadata service (`AZURE_POD_IDENTITY_AUTHORITY_HOST`). The well-known address counts as unset.
    public var imdsEndpoint: String?
    /// Whether this is a confidential container group: IMDS is there, and the variables of other environments mean little (azure-protocols 3.4).
    public var isConfidentialGroup = false
    /// Bound on one attempt. The request's deadline bounds them all.
    public var timeout: Duration

    /// Where the metadata service is on every Azure machine.
    public static let wellKnownMetadataEndpoint = "http://169.254.169.254"

    public init(
        use: Use = .auto, cloud: AzureCloud = .public, clientID: String? = nil, objectID: String? = nil,
        resourceID: String? = nil, imdsEndpoint: String? = nil, timeout: Duration = .seconds(10)
    ) {
        self.use = use
        self.cloud = cloud
        self.clientID = clientID
        self.objectID = objectID
        self.resourceID = resourceID
        self.imdsEndpoint = imdsEndpoint
        self.timeout = timeout
    }
}
