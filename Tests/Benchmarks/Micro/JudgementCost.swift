import OpenSSLCrypto
import SNPReport

/// What judging evidence costs, as multiples of what OpenSSL takes for its signatures in the same run.
enum JudgementCost {
    static let cold = "evidence verification, chain and report"
    static let known = "evidence verification, of a known chain"
    private static let p384 = "ECDSA P-384 verification"
    private static let rsa4096 = "RSA-4096 PSS verification"

    static func measureUnits(_ subjects: Subjects, _ measurer: inout Measurer) async throws {
        let report = try AttestationReport(subjects.report)
        let key = try subjects.chain[0].publicKey
        let (signed, signature) = (report.signedBytes, report.signature)
        try await measurer.measure(p384, count: 100) {
            guard key.verifies(signature, of: signed, algorithm: .ecdsa(.sha384)) else { throw Broken(what: p384) }
        }
        try await measurer.measure(rsa4096, count: 200) {
            guard subjects.chain[1].isSigned(by: subjects.chain[2]) else { throw Broken(what: rsa4096) }
        }
    }

    /// Prints the two ratios beside what they may be; whether both are kept. Nothing where they were not measured.
    static func report(_ measurements: [Measurement]) -> Bool {
        func seconds(_ name: String) -> Double? { measurements.first { $0.name == name }?.seconds }
        guard let known = seconds(known), let cold = seconds(cold), let p384 = seconds(p384), let rsa4096 = seconds(rsa4096) else {
            return true
        }
        let (knownRatio, coldRatio) = (known / p384, cold / (3 * rsa4096 + 1.5 * p384))
        print("judgement of a known chain: \(text(knownRatio)) ECDSA P-384 verifications (at most 1.30)")
        print("cold judgement: \(text(coldRatio)) times three RSA-4096 and 1.5 ECDSA P-384 verifications (at most 1.00)")
        return knownRatio <= 1.3 && coldRatio <= 1
    }

    private static func text(_ ratio: Double) -> String {
        let hundredths = Int((ratio * 100).rounded())
        return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
    }
}
