internal import Issuing
package import BrokerCore
internal import OpenSSLCrypto

/// Evidence with the right shape and the right binding, signed by nobody: for tests of code that passes evidence on without judging it.
package enum SampleEvidence {
    /// An 1184-byte report whose REPORT_DATA commits to `data`, with two self-made certificates.
    ///
    /// Launch measurement and host data are filled with recognisable bytes (AMD 56860, "ATTESTATION_REPORT").
    package static func evidence(for data: RuntimeData, platformEndorsements: [[UInt8]] = []) throws -> Evidence {
        var report = [UInt8](repeating: 0, count: 1184)
        report[0] = 2
        report.replaceSubrange(0x50..<0x90, with: data.reportData.bytes)
        report.replaceSubrange(0x90..<0xC0, with: [UInt8](repeating: 0x11, count: 48))
        report.replaceSubrange(0xC0..<0xE0, with: [UInt8](repeating: 0x22, count: 32))
        report.replaceSubrange(0x180..<0x188, with: [3, 0, 0, 0, 0, 0, 8, 0x73])
        return Evidence(
            report: report, endorsements: try certificates(), endorsedTCB: "7308000000000003", platformEndorsements: platformEndorsements,
            provenance: .fixture)
    }

    private static func certificates() throws -> [[UInt8]] {
        let key = try PrivateKey.generateEC(.p384)
        return try ["SEV-VCEK", "SEV-Sample"].map { name in
            try CertificateBuilder.forTest(name).sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha384)).der
        }
    }
}

extension CertificateBuilder {
    /// A self-named certificate that is valid from 2024 to 2033.
    static func forTest(_ commonName: String) -> CertificateBuilder {
        CertificateBuilder(subject: [("CN", commonName)], issuer: [("CN", commonName)], notBefore: 1_704_067_200, notAfter: 2_019_686_400)
    }
}
