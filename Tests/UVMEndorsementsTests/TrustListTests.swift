import EvidenceSamples
import Issuing
import OpenSSLCrypto
import PlainText
import Testing

@testable import UVMEndorsements

/// The samples of 2026: receipts, and a list of ledgers' keys signed by a test authority.
@Suite(
    "Receipts and trust lists of 2026",
    .enabled(if: EvidenceSample.of2026("README.md") != nil, "../shared/evidence-2026 is not there"))
struct TrustListSampleTests {
    private static let testIssuer = TrustedIssuer(
        issuer: "did:x509:0:sha256:wVkSM46SDpw4LuyEYoH6r5ym07whL5lWxNlGN-UPtf4::eku:1.3.6.1.4.1.311.10.3.13",
        feed: "acidevacr.azurecr.io/internal/aci/aci-cc-ttl")

    private func sample(_ path: String) throws -> [UInt8] { try #require(EvidenceSample.of2026(path)) }

    private func trustList(_ issuers: [TrustedIssuer]) throws -> TransparencyTrustList {
        TransparencyTrustList(cose: try sample("caci-transparency-trust-list-20260616/ttl.cose"), issuers: issuers, time: 1_795_000_000)
    }

    @Test("the list is read, ES384 with a key of P-256 and all, and its keys do not count while nobody trusts its issuer") func list()
        throws
    {
        let unknown = try trustList([])
        #expect(unknown.verdict.checks.map(\.ok) == [true, true, false], "\(unknown.verdict.checks)")
        #expect(unknown.verdict.statement?.issuer == Self.testIssuer.issuer && unknown.verdict.statement?.svn == 0)
        let counts = unknown.ledgers.map { "\($0.host.prefix { $0 != "." }) \($0.keyIDs.count)" }
        #expect(counts.sorted() == ["esrp-cts-cp 1", "esrp-cts-db 2", "esrp-cts-dev 8"])
        #expect(unknown.ledgers.allSatisfy { $0.unknownKeys == 0 })
        #expect(unknown.keys.isEmpty)
        let trusted = try trustList([Self.testIssuer])
        #expect(trusted.verdict.isVerified && !trusted.keys.isEmpty)
        let late = try trustList([TrustedIssuer(issuer: Self.testIssuer.issuer, feed: Self.testIssuer.feed, minimumSVN: 1)])
        #expect(!late.verdict.isVerified && late.keys.isEmpty)
    }

    @Test("the keys of a trusted list verify a receipt of its ledger, and the other statement's receipt never counts") func receipts()
        throws
    {
        var policy = UVMEndorsementVerifier.Policy()
        policy.requiresReceipt = true
        let good = try sample("uvm-endorsement-transparent-20260326-dc3f5a93/reference-info.cose")
        let grafted = try sample("negative-uvm-endorsement-grafted-receipt/reference-info.cose")
        for keys in [
            try trustList([Self.testIssuer]).keys,
            try LedgerKeys(
                jwks: try sample("uvm-endorsement-transparent-20260326-dc3f5a93/ledger-jwks.json"),
                issuer: "esrp-cts-db.confidential-ledger.azure.com"),
        ] {
            policy.ledgerKeys = keys
            let result = UVMEndorsementVerifier().verify(good, policy: policy)
            #expect(result.isVerified, "\(result.checks)")
            #expect(result.endorsement?.svn == 104)
        }
        for keys in [
            try trustList([Self.testIssuer]).keys,
            try LedgerKeys(jwks: try sample("negative-uvm-endorsement-grafted-receipt/ledger-jwks.json")),
        ] {
            policy.ledgerKeys = keys
            let result = UVMEndorsementVerifier().verify(grafted, policy: policy)
            #expect(result.failures == ["uvm-receipt"])
            #expect(result.detail(.receipt) == "the receipt is about another statement")
        }
    }

    @Test("a key counts for its own ledger only") func foreignLedger() throws {
        var policy = UVMEndorsementVerifier.Policy()
        policy.requiresReceipt = true
        policy.ledgerKeys = try LedgerKeys(
            jwks: try sample("uvm-endorsement-transparent-20260326-dc3f5a93/ledger-jwks.json"),
            issuer: "esrp-cts-cp.confidential-ledger.azure.com")
        let cose = try sample("uvm-endorsement-transparent-20260326-dc3f5a93/reference-info.cose")
        #expect(UVMEndorsementVerifier().verify(cose, policy: policy).failures == ["uvm-receipt"])
    }

    @Test("a changed byte of the list is noticed") func altered() throws {
        let list = try sample("caci-transparency-trust-list-20260616/ttl.cose")
        // The receipts in the unprotected header are not what is signed.
        let message = try COSESign1(list).replacing(unprotected: CBORMap())
        #expect(TransparencyTrustList(cose: message, issuers: [Self.testIssuer], time: nil).verdict.isVerified)
        for index in stride(from: 0, to: message.count, by: 7) {
            let altered = TransparencyTrustList(cose: message.flipping(index, bit: index / 7), issuers: [Self.testIssuer], time: nil)
            #expect(!altered.verdict.isVerified && altered.keys.isEmpty, "byte \(index)")
        }
    }
}

@Suite("Trust lists and signed statements") struct SignedStatementTests {
    private let fixture: UVMFixture
    private let issuer: TrustedIssuer

    init() throws {
        fixture = try Publisher.p384.get()
        issuer = TrustedIssuer(issuer: fixture.issuer, feed: "list")
    }

    private func header(
        _ algorithm: CBORValue = -35, contentType: CBORValue = .text(TransparencyTrustList.contentType), svn: CBORValue? = 3
    )
        -> [(CBORValue, CBORValue)]
    {
        var claims: [(CBORValue, CBORValue)] = [
            (1, .text(fixture.issuer)), (2, "list"), (6, .tagged(1, CBORValue(Publisher.now))),
        ]
        if let svn { claims.append(("svn", svn)) }
        return [(1, algorithm), (3, contentType), (15, .map(CBORMap(claims))), (33, .array(fixture.certificates.map { .bytes($0.der) }))]
    }

    private static func key(_ id: String, _ curve: EllipticCurve = .p384, number: CBORValue = 2, kind: CBORValue = 2) throws -> CBORValue {
        let point = try #require(try PrivateKey.generateEC(curve).publicKey.ecPoint)
        return .map(
            CBORMap([(1, kind), (2, .bytes(Array(id.utf8))), (3, -35), (-1, number), (-2, .bytes(point.x)), (-3, .bytes(point.y))]))
    }

    private static func payload(_ sets: [(String, CBORValue)]) -> [UInt8] {
        CBORValue.map(CBORMap(sets.map { (.text($0.0), .map(CBORMap([(1, $0.1)]))) })).encoded()
    }

    private func list(_ header: [(CBORValue, CBORValue)], _ payload: [UInt8]) throws -> TransparencyTrustList {
        TransparencyTrustList(cose: try fixture.sign(header, payload: payload), issuers: [issuer], time: Publisher.now)
    }

    @Test("keys of unknown curves and kinds are left out and counted; the first of an identifier counts") func unknownKeys() throws {
        let keys: CBORValue = .array([
            try Self.key("a"), try Self.key("b", .p256, number: 1), try Self.key("c", number: 8), try Self.key("d", kind: 7),
            try Self.key("a"),
            "rubbish",
        ])
        let list = try list(header(), Self.payload([("ledger.example", keys), ("other.example", .array([try Self.key("z", kind: 9)]))]))
        #expect(list.verdict.isVerified, "\(list.verdict.checks)")
        #expect(list.ledgers.map(\.keyIDs) == [["a", "b"], []])
        #expect(list.ledgers.map(\.unknownKeys) == [4, 1])
    }

    @Test("an algorithm that is not known leaves the list readable and its keys without effect", arguments: [-8, -49, -257] as [CBORValue])
    func unknownAlgorithm(_ algorithm: CBORValue) throws {
        let list = try list(header(algorithm), Self.payload([("ledger.example", .array([try Self.key("a")]))]))
        #expect(list.ledgers.map(\.keyIDs) == [["a"]] && list.verdict.statement?.hasKnownAlgorithm == false)
        #expect(!list.verdict.isVerified && list.keys.isEmpty)
        #expect(list.verdict.checks[1].detail.contains("is not known"), "\(list.verdict.checks)")
    }

    @Test("what is no list has no keys") func noList() throws {
        let keys = CBORValue.array([try Self.key("a")])
        let good = Self.payload([("ledger.example", keys)])
        for (header, payload) in [
            (header(contentType: "application/json"), good), (header(svn: nil), good), (header(), []), (header(), [0x80]),
            (header(), Self.payload([])), (header(), Self.payload([("ledger.example", [])])), (header(), Self.payload([("a b", keys)])),
            (header(), Self.payload([("ledger.example", "keys")])),
        ] {
            let list = try list(header, payload)
            #expect(list.verdict.checks.first?.ok == false && !list.verdict.isVerified && list.keys.isEmpty && list.ledgers.isEmpty)
        }
        for bytes: [UInt8] in [[], [0xD2], Array("{}".utf8)] {
            #expect(!TransparencyTrustList(cose: bytes, issuers: [issuer], time: nil).verdict.isVerified)
        }
    }

    @Test("a statement of any content is its issuer's or not") func statements() throws {
        let cose = try fixture.sign(header(contentType: 60), payload: [1, 2, 3])
        func verdict(_ cose: [UInt8], _ issuers: [TrustedIssuer], usages: [String] = []) -> StatementVerdict {
            var trust = StatementTrust(issuers: issuers, time: Publisher.now)
            trust.extendedKeyUsages = usages
            return StatementVerifier(prefix: "tcb-reference", trust: trust).verify(cose)
        }
        let good = verdict(cose, [issuer], usages: [UVMFixture.extendedKeyUsage])
        #expect(good.isVerified && good.statement?.contentType == "60" && good.statement?.payload == [1, 2, 3], "\(good.checks)")
        #expect(good.checks.map(\.code) == ["tcb-reference-form", "tcb-reference-signature", "tcb-reference-issuer"])
        #expect(verdict(cose, [issuer], usages: ["1.2.3"]).checks.failures == ["tcb-reference-signature"])
        #expect(verdict(cose, []).checks.failures == ["tcb-reference-issuer"])
        #expect(verdict(cose, [TrustedIssuer(issuer: issuer.issuer, feed: "other")]).checks.failures == ["tcb-reference-issuer"])
        #expect(
            verdict(cose, [TrustedIssuer(issuer: issuer.issuer, feed: "list", minimumSVN: 4)]).checks.failures == ["tcb-reference-issuer"])
        for index in cose.indices { #expect(!verdict(cose.flipping(index, bit: index), [issuer]).isVerified, "byte \(index)") }
    }

    @Test("an early endorsement's extended key usage, which every signer has, is named") func earlyUsage() throws {
        let everybody = String(TrustedIssuer.confidentialACI.issuer.dropLast()) + "1"
        let cose = try fixture.sign(Publisher.header(fixture).with("iss", .text(everybody)), payload: Publisher.document())
        let result = UVMEndorsementVerifier().verify(cose)
        #expect(result.detail(.issuer).contains("is in every certificate of Microsoft's signers"), "\(result.detail(.issuer))")
        let other = String(TrustedIssuer.confidentialACI.issuer.dropLast()) + "7"
        let changed = try fixture.sign(Publisher.header(fixture).with("iss", .text(other)), payload: Publisher.document())
        #expect(UVMEndorsementVerifier().verify(changed).detail(.issuer).contains("another extended key usage"))
    }

    @Test("issuers as people write them") func issuers() throws {
        let aci = TrustedIssuer.confidentialACI
        #expect(try TrustedIssuer("\(aci.issuer) \(aci.feed)") == aci)
        #expect(try TrustedIssuer("\(aci.issuer) \(aci.feed) 104").minimumSVN == 104)
        #expect(try TrustedIssuer(TrustedIssuer("\(aci.issuer) \(aci.feed) 104").text).minimumSVN == 104)
        for text in [
            "", aci.issuer, "\(aci.issuer)  \(aci.feed)", "\(aci.issuer) \(aci.feed) 1 2", "\(aci.issuer) \(aci.feed) x", "did:web:x feed",
            "\(aci.issuer) f\u{e9}ed", String(aci.issuer.dropLast()) + "1 feed",
        ] { #expect(throws: TrustedIssuer.Complaint.self, "\(text)") { try TrustedIssuer(text) } }
    }

    @Test("a receipt's key may be named by its digest's bytes") func rawKeyID() {
        #expect(LedgerReceipt.keyID(Array("ab".utf8)) == "ab")
        #expect(LedgerReceipt.keyID([0xAB, 0x01]) == "ab01")
        #expect(LedgerReceipt.keyID([]) == nil)
        #expect(LedgerReceipt.keyID([UInt8](repeating: 0, count: 65)) == nil)
    }
}
