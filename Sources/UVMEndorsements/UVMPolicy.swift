/// Whose endorsements count, for which feed, and from which security version number on.
package struct TrustedIssuer: Sendable, Equatable {
    /// did:x509 identifier, compared byte by byte.
    package var issuer: String
    /// Compared byte by byte.
    package var feed: String
    /// The oldest image that is accepted.
    package var minimumSVN: UInt64

    package init(issuer: String, feed: String, minimumSVN: UInt64 = 0) {
        self.issuer = issuer
        self.feed = feed
        self.minimumSVN = minimumSVN
    }

    private static let microsoftRoot = "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s"

    /// Confidential Azure Container Instances, signed under `Microsoft Supply Chain RSA Root CA 2022`
    /// (UVMEndorsements.md, "Known issuers").
    package static let confidentialACI = TrustedIssuer(
        issuer: "\(microsoftRoot)::eku:1.3.6.1.4.1.311.76.59.1.2", feed: "ContainerPlat-AMD-UVM")
    /// Confidential containers on Azure Kubernetes Service.
    package static let confidentialAKS = TrustedIssuer(issuer: "\(microsoftRoot)::eku:1.3.6.1.4.1.311.76.59.1.5", feed: "ConfAKS-AMD-UVM")
    /// Both, with every security version number: the answer to "did Microsoft sign this?".
    package static let microsoft = [confidentialACI, confidentialAKS]
}

extension UVMEndorsementVerifier {
    /// What an endorsement must satisfy.
    ///
    /// The default accepts everything that Microsoft signed for its confidential containers, old images included. To refuse images below a
    /// security version number, raise it: CCF starts at 100 for ACI and at 1 for AKS.
    ///
    ///     var policy = UVMEndorsementVerifier.Policy()
    ///     policy.trustedIssuers = [.init(issuer: TrustedIssuer.confidentialACI.issuer, feed: "ContainerPlat-AMD-UVM", minimumSVN: 104)]
    package struct Policy: Sendable {
        /// Issuer and feed must be those of one entry, and the security version number at least its minimum.
        package var trustedIssuers = TrustedIssuer.microsoft
        /// MEASUREMENT of the report, 48 bytes. Without it the endorsement is checked by itself.
        package var expectedMeasurement: [UInt8]?
        /// Keys for the receipts. With them, an endorsement that carries receipts must have one that verifies, and none that does not.
        package var ledgerKeys: LedgerKeys?
        /// Whether an endorsement without a verified receipt is refused. Receipts are not covered by the signature, so that only this stops
        /// somebody who takes them off. Needs `ledgerKeys`.
        package var requiresReceipt = false
        /// The present, in seconds since 1970. Certificates are judged at the time of signing, because they live for a year and
        /// endorsements longer; the present counts where no time of signing is claimed, and is reported otherwise.
        package var time: Int64?

        package init() {}
    }
}
