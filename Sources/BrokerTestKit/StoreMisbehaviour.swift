package import BrokerCore

/// How a key store can go wrong, and what a `KeyStore` must make of it.
package enum StoreMisbehaviour: String, Sendable, CaseIterable {
    // A signature that must not be believed.
    case untrustedChain, otherHostCertificate, expiredCertificate, emptyChain, missingChain, nullChain, textualChain
    case brokenCertificate, signerIsNotLeaf, tamperedSignature, tamperedPayload, unsigned, symmetricAlgorithm
    case otherAlgorithm, criticalExtension, truncatedJWS, fourPartJWS, ellipticSigner
    // A true signature under an answer to something else.
    case otherRequestedKey, otherKeyName, otherVersion, otherHost, missingVersion, otherEncryption, downgradedBlob
    case otherNonce, missingNonce, otherWrappingKey, notExportable
    // A key that cannot be one.
    case unknownKeyType, unknownCurve, halfPublicPart, blobIsNotBase64, blobIsNotJSON, otherSchema, otherBlobAlgorithm
    case emptyCiphertext, shortCiphertext, unevenCiphertext, hugeCiphertext, tooManyOperations, noResponse
    // An answer that is none.
    case oversizedAnswer, truncatedAnswer, notJSON, emptyAnswer, noContent, duplicateMember, redirect
    // A service that says no, or nothing.
    case badParameter, notReleasable, unauthorized, forbiddenByPolicy, forbiddenByPermission, notFound, conflict
    case throttled, serverError, requestTimeout
    case refusedConnection, unknownName, untrustedTLS, cutOff, silence

    /// The codes that a key store may answer with.
    package var expectedCodes: Set<BrokerError.Code> {
        switch self {
        case .badParameter: [.invalidRequest, .releaseDenied]
        case .notReleasable, .forbiddenByPolicy, .forbiddenByPermission, .conflict: [.releaseDenied]
        case .unauthorized: [.identityFailed]
        case .notFound: [.keyNotFound]
        case .throttled: [.upstreamThrottled]
        case .serverError, .requestTimeout, .refusedConnection, .unknownName, .untrustedTLS: [.upstreamUnavailable]
        case .silence: [.deadlineExceeded, .upstreamUnavailable]
        default: [.upstreamInvalid]
        }
    }

    /// Where it must be reported.
    package var expectedStage: BrokerError.Stage { self == .unauthorized ? .identity : .release }
}
