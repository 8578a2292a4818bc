/// One kind of request, for counters and faults.
package enum SimulatorRoute: String, Sendable, CaseIterable, Hashable {
    case maaAttest = "maa.attest"
    case maaCertificates = "maa.certificates"
    case maaMetadata = "maa.metadata"
    case maaPolicy = "maa.policy"
    case keyCreate = "keys.create"
    case keyImport = "keys.import"
    case keyGet = "keys.get"
    case keyList = "keys.list"
    case keyUpdate = "keys.update"
    case keyDelete = "keys.delete"
    case keyRecover = "keys.recover"
    case keyPurge = "keys.purge"
    case keyRelease = "keys.release"
    case keySecureWrap = "keys.secure-wrap"
    case keySecureUnwrap = "keys.secure-unwrap"
    case imdsToken = "imds.token"
    case identityEndpoint = "identity-endpoint.token"
    case entraToken = "entra.token"
    case entraMetadata = "entra.metadata"
    case subscriptions = "management.subscriptions"
    case tenants = "management.tenants"
    case thim = "thim"
    case kds = "kds"
    case certificateCache = "certificate-cache"
    /// A path that the service does not have, or a host that is not simulated.
    case other

    /// The service that a route belongs to.
    package var service: SimulatorService {
        switch self {
        case .maaAttest, .maaCertificates, .maaMetadata, .maaPolicy: .attestation
        case .keyCreate, .keyImport, .keyGet, .keyList, .keyUpdate, .keyDelete, .keyRecover, .keyPurge, .keyRelease, .keySecureWrap,
            .keySecureUnwrap:
            .keyStore
        case .subscriptions, .tenants: .management
        case .imdsToken, .identityEndpoint: .instanceMetadata
        case .entraToken, .entraMetadata: .entra
        case .thim, .kds, .certificateCache: .endorsements
        case .other: .other
        }
    }
}

/// What the simulators stand in for.
package enum SimulatorService: String, Sendable, CaseIterable, Hashable {
    case attestation
    case keyStore = "key-store"
    case instanceMetadata = "instance-metadata"
    case entra
    case management
    case endorsements
    case other
}
