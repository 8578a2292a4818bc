internal import Glibc
public import HTTPTransport
public import Logging
public import OpenSSLCrypto
public import UVMEndorsements

/// Everything that can be chosen about the simulators. The defaults make a complete small cloud on free ports of the loopback interface.
public struct SimulatorConfiguration: Sendable {
    /// Address to listen on. The simulators hand out keys to whoever asks, so leave it on loopback.
    public var host = "127.0.0.1"
    /// TLS port for attestation, key stores, Entra and AMD's hosts; 0 picks a free one.
    public var port = 0
    /// Plain HTTP port for the metadata services (IMDS, THIM); 0 picks a free one.
    public var metadataPort = 0
    /// Where to write the certificate of the simulators' own authority (PEM); clients trust this file. Not written when `nil`.
    public var caFile: String?
    /// Directory that keeps the authority, signing keys and the content of the key stores from one start to the next. Nothing is kept when `nil`.
    public var keyDirectory: String?
    /// Host names for the server certificate besides the Azure ones, for example `*.vault.localtest`.
    public var extraHostNames: [String] = []
    /// Roots of report signing keys that the attestation service trusts besides AMD's: PEM or DER, one entry per file.
    public var trustedReportRoots: [[UInt8]] = []
    /// Publishers of utility VM endorsements that the attestation service trusts besides Microsoft. A guest that comes with a verified endorsement gets
    /// `x-ms-compliance-status`.
    public var trustedPlatformIssuers: [TrustedIssuer] = []
    /// What THIM, AMD's key distribution service and the certificate cache serve; they know nothing when `nil`.
    public var endorsements: EndorsementChain?
    /// Life of attestation tokens in seconds. Azure's is 8 hours.
    public var attestationTokenLife: Int64 = 28_800
    /// Life of access tokens in seconds.
    public var accessTokenLife: Int64 = 86_399
    /// Whether POST /attest needs a bearer token. The shared providers of Azure take requests without one.
    public var attestationRequiresBearer = false
    /// Tenant that the token services and challenges name.
    public var tenantID = "12345678-1234-1234-1234-123456789012"
    /// Managed identities; the first one answers where a request selects none. Never empty.
    public var identities: [SimulatedIdentity] = [.systemAssigned, .userAssigned]
    /// What the identity endpoint, `/msi/token` on the metadata port, wants in `X-IDENTITY-HEADER`.
    public var identityHeader = "simulated-identity-header"
    /// Federated credentials that the token endpoint accepts; with an empty list, every well-formed, unexpired assertion is accepted.
    public var federatedCredentials: [FederatedCredential] = []
    /// Who may not do what at the key stores; see `AzureSimulators.deny`.
    public var denials: [PermissionDenial] = []
    /// Faults that are armed from the start.
    public var faults: [FaultRule] = []
    /// Exponents of vault keys as `AAEAAQ` (00 01 00 01), as recorded in 2021 and 2022, instead of `AQAB`.
    public var writesPaddedExponent = false
    /// How authorities that these simulators do not serve are reached. Without it, their tokens cannot be verified.
    public var authorityTransport: (any HTTPTransport)?
    /// Seconds since 1970, for tokens and key attributes.
    public var clock: @Sendable () -> Int64 = { Int64(time(nil)) }
    public var logger = Logger(label: "azure-simulators")

    public init() {}
}

/// A managed identity.
public struct SimulatedIdentity: Sendable, Equatable {
    /// Application (client) id, a GUID.
    public var clientID: String
    /// Object (principal) id, a GUID.
    public var objectID: String
    /// Resource id; `nil` for an identity that is system-assigned.
    public var resourceID: String?

    public init(clientID: String, objectID: String, resourceID: String? = nil) {
        self.clientID = clientID
        self.objectID = objectID
        self.resourceID = resourceID
    }

    /// The identity of the simulated machine itself.
    public static let systemAssigned = SimulatedIdentity(
        clientID: "11111111-aaaa-4aaa-8aaa-111111111111", objectID: "22222222-bbbb-4bbb-8bbb-222222222222")

    /// An identity that was assigned to the simulated machine.
    public static let userAssigned = SimulatedIdentity(
        clientID: "33333333-cccc-4ccc-8ccc-333333333333", objectID: "44444444-dddd-4ddd-8ddd-444444444444",
        resourceID:
            "/subscriptions/55555555-eeee-4eee-8eee-555555555555/resourceGroups/simulated/providers/Microsoft.ManagedIdentity/userAssignedIdentities/broker"
    )
}

/// Whose assertions the token endpoint exchanges, compared as exact text (azure-protocols.md, section 4).
public struct FederatedCredential: Sendable, Equatable {
    /// `iss` of the assertion.
    public var issuer: String
    /// `sub` of the assertion.
    public var subject: String
    /// One of these must be in `aud`.
    public var audiences: [String]
    /// Application that the credential belongs to.
    public var clientID: String
    /// Keys of the issuer (a JWKS document); signatures are not checked when `nil`.
    public var issuerKeys: [UInt8]?

    public init(
        issuer: String, subject: String, audiences: [String] = ["api://AzureADTokenExchange"], clientID: String,
        issuerKeys: [UInt8]? = nil
    ) {
        self.issuer = issuer
        self.subject = subject
        self.audiences = audiences
        self.clientID = clientID
        self.issuerKeys = issuerKeys
    }
}

/// A report signing key's certificates, as the sources of AMD certificates serve them.
public struct EndorsementChain: Sendable {
    /// VCEK or VLEK.
    public var leaf: Certificate
    /// ASK or ASVK.
    public var intermediate: Certificate
    /// ARK.
    public var root: Certificate
    /// TCB for which the leaf was issued: 16 lower-case hex digits, as THIM prints `tcbm`.
    public var tcb: String
    /// The chip, 128 lower-case hex digits (Turin: 16); requests for another chip are answered with 404. Any chip when `nil`.
    public var chipID: String?

    public init(leaf: Certificate, intermediate: Certificate, root: Certificate, tcb: String, chipID: String? = nil) {
        self.leaf = leaf
        self.intermediate = intermediate
        self.root = root
        self.tcb = tcb
        self.chipID = chipID
    }
}
