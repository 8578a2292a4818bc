import Waiting
import BrokerCore
import BrokerEngine
import BrokerTestKit
import Glibc
import HTTPTransport
import JOSE
import Logging
import OpenSSLCrypto
import ReleasePolicy
import SNPReport
import SNPVerification
import SecureMemory
import StrictJSON

/// Times and allocations of the broker's parts; see micro.sh. Prints a table and compares allocations with the thresholds of a JSON file.
@main enum Benchmarks {
    static func main() async {
        do {
            let thresholds = try Thresholds(CommandLine.arguments.dropFirst().first)
            let measurements = try await run(only: CommandLine.arguments.dropFirst(2).first)
            let isKept = report(measurements, thresholds)
            exit(JudgementCost.report(measurements) && isKept ? 0 : 1)
        } catch { fail("broker-benchmarks: \(error)") }
    }

    private static func run(only: String?) async throws -> [Measurement] {
        let subjects = try Subjects()
        try await subjects.awaitMachine()
        var measurer = Measurer(only: only)
        let input = Array("message".utf8)
        try await measurer.measure("RSA-2048 private operation", count: 200) {
            _ = try subjects.privateKey.sign(input, algorithm: .rsaPKCS1(.sha256))
        }
        try await measurer.measure("wrapping key, made", count: 10) { _ = try WrappingKey.generate(bits: 2048) }
        try await measurer.measure("report decode", count: 2000) { _ = try AttestationReport(subjects.report) }
        try await measurer.measure(JudgementCost.cold, count: 50) {
            let result = EvidenceVerifier().verify(report: subjects.report, certificates: subjects.chain, policy: subjects.verification)
            guard result.isVerified else { throw Broken(what: "\(result.failures)") }
        }
        try await JudgementCost.measureUnits(subjects, &measurer)
        let signatures = VerifiedSignatures()
        try await measurer.measure(JudgementCost.known, count: 50) {
            let result = EvidenceVerifier(signatures: signatures).verify(
                report: subjects.report, certificates: subjects.chain, policy: subjects.verification)
            guard result.isVerified else { throw Broken(what: "\(result.failures)") }
        }
        if let bundle = Subjects.systemBundle {
            try await measurer.measure("trust store of the system's bundle", count: 20) {
                _ = try TrustStore(files: [bundle], directories: [], includesSystemDefaults: false)
            }
        }
        let publicKey = subjects.privateKey.publicKey
        try await measurer.measure("token verification", count: 500) {
            let jws = try JWS(compact: subjects.token, maximumBytes: 1 << 16)
            try jws.verify(with: publicKey, algorithm: .rs256)
            _ = try jws.payload(limits: JSONLimits())
        }
        try await measurer.measure("policy evaluation", count: 2000) {
            let outcome = subjects.policy.evaluate(claims: subjects.claims, issuer: "https://\(Subjects.authority)")
            guard outcome.isSatisfied else { throw Broken(what: "the policy is not satisfied") }
        }
        for name in ["oct-key", "rsa-key", "ec-32"] { try await unwrap(name, subjects, &measurer) }
        try await pool(&measurer)
        try await releases(subjects, &measurer)
        return measurer.measurements
    }

    /// From the ciphertext to the JWK.
    private static func unwrap(_ name: String, _ subjects: Subjects, _ measurer: inout Measurer) async throws {
        guard let key = subjects.keys.first(where: { $0.name == name }) else { throw Broken(what: "no key \(name)") }
        let wrapping = try WrappingKey.generate(bits: 2048)
        let numbers = wrapping.publicNumbers
        let content = SecretBytes(capacity: key.content.count) { output in
            output.copyBytes(from: key.content)
            return key.content.count
        }
        let ciphertext = try KeyWrap.wrap(content, to: try PublicKey(rsa: numbers), using: .rsaAESKeyWrap256)
        let title = "unwrap \(["oct-key": "oct", "rsa-key": "RSA-2048", "ec-32": "P-256"][name] ?? name)"
        // As after a signed answer, which states the public half.
        let known: RSAPublicNumbers? = if case .rsa(let n, let e)? = key.publicPart { RSAPublicNumbers(n: n, e: e) } else { nil }
        try await measurer.measure(title, count: 100) {
            let secret = try wrapping.unwrap(ciphertext, using: .rsaAESKeyWrap256)
            if key.type == .oct {
                _ = PrivateJWK.encode(symmetric: secret, keyOperations: [])
            } else {
                _ = PrivateJWK.encode(try PrivateKeyNumbers(pkcs8DER: secret, known: known), keyOperations: key.operations)
            }
        }
    }

    private static func pool(_ measurer: inout Measurer) async throws {
        let count = Measurer.rounds + 1
        let pool = WrappingKeyPool(capacity: count, logger: quiet)
        pool.fill()
        while pool.count < count { try await Task.sleep(for: .milliseconds(20)) }
        // A take starts the refill; stopped, it only takes.
        pool.stopFilling()
        try await measurer.measure("pool take, warm", count: 1) {
            _ = try await pool.take()
        }
    }

    private static func releases(_ subjects: Subjects, _ measurer: inout Measurer) async throws {
        let options = ReleaseSessionOptions(maxAge: .seconds(3600), maxUses: 1_000_000)
        let pool = WrappingKeyPool(capacity: 0, logger: quiet)
        for (title, session, count) in [("session release", Optional(options), 100), ("default release", nil, 5)] {
            for name in ["oct-key", "rsa-key"] {
                let engine = try subjects.engine(session: session, pool: pool)
                guard let key = KeyName(name) else { throw Broken(what: name) }
                try await measurer.measure("\(title) of \(name == "oct-key" ? "an oct" : "an RSA") key, services included", count: count) {
                    _ = try await engine.release(ReleaseRequest(key: key), in: engine.makeContext(id: "benchmark"))
                }
            }
        }
    }

    private static var quiet: Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }
}

struct Broken: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}
