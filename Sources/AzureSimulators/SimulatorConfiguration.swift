internal import Glibc
package import HTTPTransport
package import Logging
package import OpenSSLCrypto
package import UVMEndorsements

/// Everything that can be chosen about the simulators. The defaults make a complete small cloud on free ports of the loopback interface.
package struct SimulatorConfiguration: Sendable {
    /// Address to listen on. The simulators hand out keys to whoever asks, so leave it on loopback.
    package var host = "127.0.0.1"
    /// TLS port for attestation, key stores, Entra and AMD's hosts; 0 picks a free one.
    package var port = 0
    /// Plain HTTP port for the metadata services (IMDS, THIM); 0 picks a free one.
    package var metadataPort = 0
    /// Port of a proxy that leads the simulated names to the two others; 0 picks a free one, `nil` for no proxy.
    package var proxyPort: Int?
    /// Where to write the certificate of the simulators' own authority (PEM); clients trust this file. Not written when `nil`.
    package var caFile: String?
    /// Directory that keeps the authority, signing keys and the content of the key stores from one start to the next. Nothing is kept when
    /// `nil`.
    package var keyDirectory: String?
    /// Host names for the server certificate besides the Azure ones, for example `*.vault.localtest`.
    package var extraHostNames: [String] = []
    /// Roots of report signing keys that the attestation service trusts besides AMD's: PEM or DER, one entry per file.
    package var trustedReportRoots: [[UInt8]] = []
    /// Publishers of utility VM endorsements that the attestation service trusts besides Microsoft. A guest that comes with a verified
    /// endorsement gets `x-ms-compliance-status`.
    package var trustedPlatformIssuers: [TrustedIssuer] = []
    /// What THIM, AMD's key distribution service and the certificate cache serve; they know nothing when `nil`.
    package var endorsements: EndorsementChain?
    /// What AMD's service serves as the product's revocation list, DER; 404 where there is none.
    package var revocationList: [UInt8]?
    /// Life of attestation tokens in seconds. Azure's is 8 hours.
    package var attestationTokenLife: Int64 = 28_800
    /// Life of access tokens in seconds.
    package var accessTokenLife: Int64 = 86_399
    /// Whether POST /attest needs a bearer token. The shared providers of Azure take requests without one.
    package var attestationRequiresBearer = false
    /// Tenant that the token services and challenges name.
    package var tenantID = "12345678-1234-1234-1234-123456789012"
    /// Managed identities; the first one answers where a request selects none. Never empty.
    package var identities: [SimulatedIdentity] = [.systemAssigned, .userAssigned]
    /// What the identity endpoint, `/msi/token` on the metadata port, wants in `X-IDENTITY-HEADER`.
    package var identityHeader = "simulated-identity-header"
    /// Federated credentials that the token endpoint accepts; with an empty list, every well-formed, unexpired assertion is accepted.
    package var federatedCredentials: [FederatedCredential] = []
    /// Secrets of applications, by lower-case client id; with an empty list, every secret is accepted.
    package var clientSecrets: [String: String] = [:]
    /// Who may not do what at the key stores; see `AzureSimulators.deny`.
    package var denials: [PermissionDenial] = []
    /// Faults that are armed from the start.
    package var faults: [FaultRule] = []
    /// How many requests of a route each host takes in a time.
    package var limits: [RateLimit] = []
    /// Exponents of vault keys as `AAEAAQ` (00 01 00 01), as recorded in 2021 and 2022, instead of `AQAB`.
    package var writesPaddedExponent = false
    /// Whether answers spell a key's name as the request did, instead of as it was first written. Clients have to take both.
    package var namesKeysAsAsked = false
    /// How authorities that these simulators do not serve are reached. Without it, their tokens cannot be verified.
    package var authorityTransport: (any HTTPTransport)?
    /// Is told of every request that a service answered. What was sent and answered holds tokens and keys.
    package var onExchange: (@Sendable (SimulatedExchange) -> Void)?
    /// Makes the RSA keys that sign tokens and release answers; tests that start many simulators give the same ones out again.
    package var makeSignerKey: @Sendable () throws(CryptoError) -> PrivateKey = { () throws(CryptoError) in
        try PrivateKey.generateRSA(bits: 2048)
    }
    /// Seconds since 1970, for tokens and key attributes.
    package var clock: @Sendable () -> Int64 = { Int64(time(nil)) }
    package var logger = Logger(label: "azure-simulators")

    package init() {}
}

/// A request to a simulated service and its answer, as they were on the wire: with every secret in them.
package struct SimulatedExchange: Sendable {
    /// Upper case.
    package let method: String
    /// Lower case, with a port other than 443.
    package let host: String
    /// Without the query.
    package let path: String
    /// Decoded, in order.
    package let query: [(name: String, value: String)]
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    package let status: Int
    package let answer: [UInt8]
}

/// A managed identity.
package struct SimulatedIdentity: Sendable, Equatable {
    /// Application (client) id, a GUID.
    package var clientID: String
    /// Object (principal) id, a GUID.
    package var objectID: String
    /// Resource id; `nil` for an identity that is system-assigned.
    package var resourceID: String?

    package init(clientID: String, objectID: String, resourceID: String? = nil) {
        self.clientID = clientID
        self.objectID = objectID
        self.resourceID = resourceID
    }

    /// The identity of the simulated machine itself.
    package static let systemAssigned = SimulatedIdentity(
        clientID: "11111111-aaaa-4aaa-8aaa-111111111111", objectID: "22222222-bbbb-4bbb-8bbb-222222222222")

    /// An identity that was assigned to the simulated machine.
    package static let userAssigned = SimulatedIdentity(
        clientID: "33333333-cccc-4ccc-8ccc-333333333333", objectID: "44444444-dddd-4ddd-8ddd-444444444444",
        resourceID:
            "/subscriptions/55555555-eeee-4eee-8eee-555555555555/resourceGroups/simulated"
            + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/broker"
    )
}

/// Whose assertions the token endpoint exchanges, compared as exact text (EntraTokens.md, "Federated exchange").
package struct FederatedCredential: Sendable, Equatable {
    /// `iss` of the assertion.
    package var issuer: String
    /// `sub` of the assertion.
    package var subject: String
    /// One of these must be in `aud`.
    package var audiences: [String]
    /// Application that the credential belongs to.
    package var clientID: String
    /// Keys of the issuer (a JWKS document); signatures are not checked when `nil`.
    package var issuerKeys: [UInt8]?

    package init(
        issuer: String, subject: String, audiences: [String] = ["api://AzureADTokenExchange"], clientID: String, issuerKeys: [UInt8]? = nil
    ) {
        self.issuer = issuer
        self.subject = subject
        self.audiences = audiences
        self.clientID = clientID
        self.issuerKeys = issuerKeys
    }
}

/// A report signing key's certificates, as the sources of AMD certificates serve them.
package struct EndorsementChain: Sendable {
    /// VCEK or VLEK.
    package var leaf: Certificate
    /// ASK or ASVK.
    package var intermediate: Certificate
    /// ARK.
    package var root: Certificate
    /// TCB for which the leaf was issued: 16 lower-case hex digits, as THIM prints `tcbm`.
    package var tcb: String
    /// The chip, 128 lower-case hex digits (Turin: 16); requests for another chip are answered with 404. Any chip when `nil`.
    package var chipID: String?

    package init(leaf: Certificate, intermediate: Certificate, root: Certificate, tcb: String, chipID: String? = nil) {
        self.leaf = leaf
        self.intermediate = intermediate
        self.root = root
        self.tcb = tcb
        self.chipID = chipID
    }
}
