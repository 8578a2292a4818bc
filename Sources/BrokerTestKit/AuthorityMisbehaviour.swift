package import BrokerCore

/// How an attestation authority can go wrong, and what a verifier must make of it.
package enum AuthorityMisbehaviour: String, Sendable, CaseIterable {
    // A token that must not be believed.
    case signedByAnotherKey, unsigned, symmetricAlgorithm, otherAlgorithm, unknownKeyID, missingKeyID, embeddedKey
    case foreignIssuer, lookAlikeIssuer, missingIssuer
    case expired, notYetValid, missingExpiry, textualExpiry, fractionalExpiry
    case otherNonce, numericNonce
    case otherRuntimeKey, missingRuntime, otherReportData, otherAttestationType
    case tamperedPayload, truncatedToken, fourPartToken, emptyToken, hugeToken
    // An answer that is none.
    case truncatedAnswer, oversizedAnswer, notJSON, emptyAnswer, duplicateMember, redirect
    // Keys that do not come.
    case keysUnavailable, keysNotJSON, noKeys
    // A service that says no, or nothing.
    case badRequest, unauthorized, forbidden, throttled, serverError, badGateway, requestTimeout
    case refusedConnection, unknownName, untrustedTLS, cutOff, silence

    /// The codes that a verifier may answer with.
    package var expectedCodes: Set<BrokerError.Code> {
        switch self {
        case .badRequest, .unauthorized, .forbidden: [.verificationRejected]
        case .throttled: [.upstreamThrottled]
        case .serverError, .badGateway, .requestTimeout, .refusedConnection, .unknownName, .untrustedTLS, .keysUnavailable:
            [.upstreamUnavailable]
        case .silence: [.deadlineExceeded, .upstreamUnavailable]
        default: [.upstreamInvalid]
        }
    }
}
