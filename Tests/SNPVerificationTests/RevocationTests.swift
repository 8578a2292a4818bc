import Issuing
import OpenSSLCrypto
import PlainText
import SNPReport
import SNPVerification
import Testing

/// AMD's revocation list: every way in which it can be no help, or a no.
@Suite("Revocation") struct RevocationTests {
    private static let time = TestHierarchy.time

    /// A list of the test's root, bent.
    private static func list(
        _ name: String = "ARK-Milan", signer: PrivateKey = TestHierarchy.rootKey, algorithm: SignatureAlgorithm = .rsaPSS(.sha384),
        _ bend: (inout RevocationListBuilder) -> Void = { _ in }
    ) throws -> RevocationRule.Source {
        var builder = RevocationListBuilder(
            issuer: TestHierarchy.builder(name, issuer: name, serial: 1).subject, thisUpdate: time - 100, nextUpdate: time + 100)
        bend(&builder)
        return RevocationRule.Source(name: "test", der: try builder.sign(with: signer, algorithm: algorithm))
    }

    private static func verdict(_ rule: RevocationRule, _ bend: (inout TestHierarchy) -> Void = { _ in }) throws -> VerificationResult {
        var hierarchy = TestHierarchy()
        bend(&hierarchy)
        return try hierarchy.verify { $0.revocation = rule }
    }

    struct Row: Sendable, CustomStringConvertible {
        let description: String
        let sources: @Sendable () throws -> [RevocationRule.Source]
        var obstacle: String?
        /// With `required`, and with `stale-ok` and a limit of 1000 seconds.
        let required: [String]
        let staleOK: [String]
        var staleVerdict = Verdict.rejected

        init(
            _ description: String, _ required: [String], staleOK: [String]? = nil, verdict: Verdict? = nil, obstacle: String? = nil,
            _ sources: @escaping @Sendable () throws -> [RevocationRule.Source]
        ) {
            self.description = description
            self.sources = sources
            self.required = required
            self.staleOK = staleOK ?? required
            self.obstacle = obstacle
            staleVerdict = verdict ?? (required.isEmpty ? .verified : .rejected)
        }
    }

    static let rows: [Row] = [
        Row("a list that names nobody", []) { [try list()] },
        Row("a list that names others", []) { [try list { $0.revoked = [1, 0x20001, 0x10000] }] },
        Row("a leaf's serial number, 0, which all leaves share", []) { [try list { $0.revoked = [0] }] },
        Row("the intermediate is named", ["certificate-revoked"]) { [try list { $0.revoked = [7, 0x10001] }] },
        Row("a stale list that names the intermediate", ["crl-stale", "certificate-revoked"], staleOK: ["certificate-revoked"]) {
            [
                try list {
                    $0.revoked = [0x10001]
                    $0.nextUpdate = time - 50
                }
            ]
        },
        Row("an older list names it, a newer one does not", ["certificate-revoked"]) {
            [
                try list { $0.thisUpdate -= 10 },
                try list {
                    $0.thisUpdate -= 50
                    $0.revoked = [0x10001]
                },
            ]
        },
        Row("stale", ["crl-stale"], staleOK: [], verdict: .limited) { [try list { $0.nextUpdate = time - 1 }] },
        Row("stale at the limit", ["crl-stale"], staleOK: [], verdict: .limited) { [try list { $0.nextUpdate = time - 1000 }] },
        Row("stale beyond the limit", ["crl-stale"]) {
            [
                try list {
                    $0.thisUpdate = time - 2000
                    $0.nextUpdate = time - 1001
                }
            ]
        },
        Row("the last second of a list counts", []) { [try list { $0.nextUpdate = time }] },
        Row("from the future", ["crl-future"]) { [try list { $0.thisUpdate = time + 1 }] },
        Row("without nextUpdate", ["crl-no-next-update"]) { [try list { $0.nextUpdate = nil }] },
        Row("signed by somebody else", ["crl-foreign"]) { [try list(signer: TestHierarchy.intermediateKey)] },
        Row("signed in another way", ["crl-foreign"]) { [try list(algorithm: .rsaPKCS1(.sha384))] },
        Row("of another product", ["crl-foreign"]) { [try list("ARK-Genoa")] },
        Row("the right one among others", []) { [try list("ARK-Genoa"), try list()] },
        Row("garbage", ["crl-malformed"]) { [RevocationRule.Source(name: "x", der: [1, 2, 3])] },
        Row("garbage beside the right one", ["crl-malformed"]) { [try list(), RevocationRule.Source(name: "x", der: [0x30])] },
        Row("an unknown critical extension", ["crl-malformed"]) { [try list { $0.criticalExtension = "2.5.29.28" }] },
        Row("none", ["crl-missing"]) { [] },
        Row("none, since AMD's service answers 404", ["crl-missing"], obstacle: "the service answered 404") { [] },
        Row("none, since AMD's service answers 429", ["crl-missing"], obstacle: "the service answered 429") { [] },
    ]

    @Test("each list has its verdict and its code", arguments: rows) func matrix(row: Row) throws {
        let sources = try row.sources()
        let required = try Self.verdict(RevocationRule(.required, sources: sources, obstacle: row.obstacle))
        #expect(required.failures == row.required && required.verdict == (row.required.isEmpty ? .verified : .rejected))
        let stale = try Self.verdict(RevocationRule(.staleOK(limit: 1000), sources: sources, obstacle: row.obstacle))
        #expect(stale.failures == row.staleOK && stale.verdict == (row.staleOK.isEmpty ? row.staleVerdict : .rejected))
        if stale.verdict == .limited { #expect(stale.leftOut.map(\.code) == ["crl-stale"]) }
        let off = try Self.verdict(RevocationRule(.off, sources: sources))
        #expect(off.verdict == .verified && off.notChecked.contains { $0.code == "revocation" })
        if let obstacle = row.obstacle {
            #expect(required.checks.contains { $0.code == "crl-missing" && $0.detail.contains(obstacle) })
        }
    }

    @Test("a list is read in PEM as well, one at a time") func pem() throws {
        let builder = RevocationListBuilder(issuer: [("CN", "ARK-Milan")], thisUpdate: 0, nextUpdate: 9)
        let der = try builder.sign(with: TestHierarchy.rootKey, algorithm: .rsaPSS(.sha384))
        let pem = "-----BEGIN X509 CRL-----\n\(Base64.encode(der))\n-----END X509 CRL-----\n"
        let list = try RevocationList(pemOrDER: Array(pem.utf8))
        #expect(list.der == der && list.thisUpdate == 0 && list.nextUpdate == 9 && list.issuerCommonName == "ARK-Milan")
        #expect(throws: CryptoError.self) { try RevocationList(pemOrDER: Array((pem + pem).utf8)) }
        #expect(throws: CryptoError.self) { try RevocationList(pemOrDER: der + [0]) }
        #expect(throws: CryptoError.self) { try RevocationList(pemOrDER: []) }
    }
}
