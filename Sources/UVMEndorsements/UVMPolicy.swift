extension UVMEndorsementVerifier {
    /// What an endorsement must satisfy.
    ///
    /// The default accepts everything that Microsoft signed for its confidential containers, old images included. To refuse images below a
    /// security version number, raise it: CCF starts at 100 for ACI and at 1 for AKS.
    ///
    ///     var policy = UVMEndorsementVerifier.Policy()
    ///     policy.trustedIssuers = [.init(issuer: TrustedIssuer.confidentialACI.issuer, feed: "ContainerPlat-AMD-UVM", minimumSVN: 104)]
    package struct Policy: Sendable {
        /// Whose endorsements count; by default everything that Microsoft signed for its confidential containers.
        package var trust = StatementTrust(issuers: TrustedIssuer.microsoft)
        /// MEASUREMENT of the report, 48 bytes. Without it the endorsement is checked by itself.
        package var expectedMeasurement: [UInt8]?
        /// Keys for the receipts. With them, an endorsement that carries receipts must have one that verifies, and none that does not.
        package var ledgerKeys: LedgerKeys?
        /// Whether an endorsement without a verified receipt is refused. Receipts are not covered by the signature, so that only this stops
        /// somebody who takes them off. Needs `ledgerKeys`.
        package var requiresReceipt = false
        package var trustedIssuers: [TrustedIssuer] {
            get { trust.issuers }
            set { trust.issuers = newValue }
        }
        package var time: Int64? {
            get { trust.time }
            set { trust.time = newValue }
        }

        package init() {}
    }
}
