internal import OpenSSLCrypto
package import SNPReport
package import StrictJSON

/// The claims that Azure Attestation would derive from a report (AttestationService.md, "Claims").
package enum ReportClaims {
    /// Claims of a token that no report contains, because only the authority decides them or they are made for the request.
    package static let unknowable = [
        "x-ms-compliance-status", "x-ms-policy-hash", "x-ms-policy", "x-ms-policy-signer", "x-ms-runtime", "x-ms-inittime", "nonce", "jti",
        "iat", "nbf", "exp",
    ]

    /// The claims of a raw SNP token, in the order of their names. `product`: for reports of version 2, which do not say which processor
    /// made them; its TCB layout is that of Milan and Genoa.
    package static func make(_ report: AttestationReport, product: ProcessorProduct? = nil) -> JSONObject {
        let tcb = report.reportedTCB.components(for: product ?? report.product ?? .milan)
        let claims: [(String, JSONValue?)] = [
            ("x-ms-attestation-type", .string("sevsnpvm")), ("x-ms-sevsnpvm-authorkeydigest", hex(report.authorKeyDigest)),
            ("x-ms-sevsnpvm-bootloader-svn", level(tcb.bootloader)), ("x-ms-sevsnpvm-familyId", hex(report.familyID)),
            ("x-ms-sevsnpvm-guestsvn", .integer(Int64(report.guestSVN))), ("x-ms-sevsnpvm-hostdata", hex(report.hostData)),
            ("x-ms-sevsnpvm-idkeydigest", hex(report.idKeyDigest)), ("x-ms-sevsnpvm-imageId", hex(report.imageID)),
            ("x-ms-sevsnpvm-is-debuggable", .boolean(report.policy.allowsDebug)),
            ("x-ms-sevsnpvm-launchmeasurement", hex(report.measurement)),
            ("x-ms-sevsnpvm-microcode-svn", level(tcb.microcode)),
            ("x-ms-sevsnpvm-migration-allowed", .boolean(report.policy.allowsMigration)),
            ("x-ms-sevsnpvm-reportdata", hex(report.reportData)),
            ("x-ms-sevsnpvm-reportid", hex(report.reportID)), ("x-ms-sevsnpvm-smt-allowed", .boolean(report.policy.allowsSMT)),
            ("x-ms-sevsnpvm-snpfw-svn", level(tcb.snp)), ("x-ms-sevsnpvm-tee-svn", level(tcb.tee)),
            ("x-ms-sevsnpvm-vmpl", .integer(Int64(report.vmpl))), ("x-ms-ver", .string("1.0")),
        ]
        return JSONObject(claims.compactMap { name, value in value.map { (name, $0) } })
    }

    /// `nil` where the product has no such component.
    private static func level(_ level: UInt8?) -> JSONValue? { level.map { .integer(Int64($0)) } }

    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
}
