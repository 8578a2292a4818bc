package import BrokerCore
package import OpenSSLCrypto

/// Where certificates come from. Nothing that a source gives is believed: the resolver verifies it against the report.
package protocol EndorsementSource: Sendable {
    /// As the setting `endorsements.sources` spells it.
    var name: String { get }

    /// Whether it asks no service.
    var isLocal: Bool { get }

    /// Certificates that may endorse the subject's key, in any order. Throws `upstreamUnavailable` or `upstreamThrottled` where trying
    /// again may help, and `evidenceUnavailable` where this source will not have them.
    func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
}

extension EndorsementSource { package var isLocal: Bool { false } }

extension BrokerError {
    /// This source has nothing for the subject, now or later.
    static func noEndorsement(_ message: String) -> BrokerError { BrokerError(.evidenceUnavailable, at: .endorsement, message) }
}
