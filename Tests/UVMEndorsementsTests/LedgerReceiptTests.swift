import Issuing
@testable import UVMEndorsements
import EvidenceSamples
import OpenSSLCrypto
import Testing

@Suite("Receipts of Microsoft's ledger", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there"))
struct LedgerReceiptSampleTests {
    private let verifier = UVMEndorsementVerifier()

    private static let samples = EndorsementSample.all.filter { $0.ledgerKeys != nil }

    private func policy(_ sample: EndorsementSample, issuer: String? = nil) throws -> UVMEndorsementVerifier.Policy {
        var policy = UVMEndorsementVerifier.Policy()
        policy.ledgerKeys = try LedgerKeys(jwks: try #require(sample.ledgerKeys), issuer: issuer)
        policy.requiresReceipt = true
        return policy
    }

    @Test("verify with the ledger's published keys", arguments: samples) func verified(_ sample: EndorsementSample) throws {
        #expect(sample.evidence.expected.at("ledger_receipt_check", "signature")?.flag == true)
        for issuer in [nil, "esrp-cts-db.confidential-ledger.azure.com"] {
            let result = verifier.verify(sample.cose, policy: try policy(sample, issuer: issuer))
            #expect(result.isVerified)
            #expect(result.detail(.receipt).hasPrefix("verified: esrp-cts-db.confidential-ledger.azure.com, key da7694"))
        }
        let other = verifier.verify(sample.cose, policy: try policy(sample, issuer: "ledger.example"))
        #expect(other.failures == ["uvm-receipt"])
    }

    @Test("lead to the expected root", arguments: samples) func root(_ sample: EndorsementSample) throws {
        let receipt = try LedgerReceipt(try #require(try UVMEndorsement(cose: sample.cose).receipts.first))
        #expect(receipt.proofs.map { Hex.encode($0.root) } == [sample.evidence.expected.at("ledger_receipt_check", "root")?.text])
        #expect(receipt.proofs[0].evidence == sample.evidence.expected.at("ledger_receipt_check", "internal_evidence")?.text)
    }

    @Test("are said not to be checked without keys", arguments: samples) func unchecked(_ sample: EndorsementSample) {
        var policy = UVMEndorsementVerifier.Policy()
        let result = verifier.verify(sample.cose, policy: policy)
        #expect(result.isVerified)
        #expect(result.detail(.receipt).hasPrefix("not checked: "))
        policy.requiresReceipt = true
        #expect(verifier.verify(sample.cose, policy: policy).failures == ["uvm-receipt"])
    }

    @Test("with a flipped bit never pass", arguments: samples) func altered(_ sample: EndorsementSample) throws {
        let message = try COSESign1(sample.cose)
        let receipt = try #require(message.unprotected[394]?.array?.first?.bytes)
        let policy = try policy(sample)
        for index in receipt.indices {
            let altered = CBORMap([(394, [.bytes(receipt.flipping(index, bit: index))])])
            let result = verifier.verify(message.replacing(unprotected: altered), policy: policy)
            #expect(result.failures == ["uvm-receipt"], "byte \(index)")
        }
    }

    @Test("cannot be taken off or moved to another endorsement when one is required", arguments: samples) func moved(
        _ sample: EndorsementSample
    ) throws {
        let message = try COSESign1(sample.cose)
        var policy = try policy(sample)
        let bare = message.replacing(unprotected: CBORMap())
        #expect(verifier.verify(bare, policy: policy).failures == ["uvm-receipt"])
        policy.requiresReceipt = false
        #expect(verifier.verify(bare, policy: policy).isVerified)
        let fixture = try Publisher.p384.get()
        policy.trustedIssuers = [fixture.trustedIssuer]
        let receipts = try #require(message.unprotected[394])
        let other = try fixture.sign(Publisher.header(fixture), unprotected: [(394, receipts)], payload: Publisher.document())
        let result = verifier.verify(other, policy: policy)
        #expect(result.failures == ["uvm-receipt"])
        #expect(result.detail(.receipt) == "the receipt is about another statement")
    }
}

@Suite("Ledger receipts") struct LedgerReceiptTests {
    private let verifier = UVMEndorsementVerifier()
    private let fixture: UVMFixture
    private let key: PrivateKey
    private let policy: UVMEndorsementVerifier.Policy

    init() throws {
        fixture = try Publisher.p384.get()
        key = try PrivateKey.generateEC(.p384)
        var policy = Publisher.policy(fixture)
        policy.ledgerKeys = try LedgerKeys(jwks: try Self.jwks([("ledger-key", key.publicKey)]))
        self.policy = policy
    }

    private static func jwks(_ keys: [(id: String, key: PublicKey)]) throws -> [UInt8] {
        let entries = try keys.map { entry in
            let point = try #require(entry.key.ecPoint)
            return
                #"{"kty":"EC","crv":"P-384","kid":"\#(entry.id)","x":"\#(Base64.encodeURL(point.x))","y":"\#(Base64.encodeURL(point.y))"}"#
        }
        return Array(#"{"keys":[\#(entries.joined(separator: ","))]}"#.utf8)
    }

    /// A receipt for a statement digest, with everything that a test may want to be different.
    private func receipt(
        for digest: [UInt8], keyID: String = "ledger-key", algorithm: CBORValue = -35, structure: CBORValue = 2, steps: Int = 3,
        evidence: String = "ce:1.2:00", extra: [(CBORValue, CBORValue)] = [], payload: [UInt8]? = nil, proofCount: Int = 1
    ) throws -> [UInt8] {
        let sha256 = DigestAlgorithm.sha256
        let transaction = sha256.digest([1])
        let path: [(isLeft: Bool, hash: [UInt8])] = (0..<steps).map { ($0.isMultiple(of: 2), sha256.digest([UInt8($0)])) }
        var root = sha256.digest(transaction + sha256.digest(Array(evidence.utf8)) + digest)
        for step in path { root = sha256.digest(step.isLeft ? step.hash + root : root + step.hash) }
        let header: [(CBORValue, CBORValue)] =
            [(1, algorithm), (4, .bytes(Array(keyID.utf8))), (395, structure), (15, .map(CBORMap([(1, "ledger.example")])))] + extra
        let protected = CBORValue.map(CBORMap(header)).encoded()
        let proof = CBORValue.map(
            CBORMap([
                (1, [.bytes(transaction), .text(evidence), .bytes(digest)]),
                (2, .array(path.map { [.boolean($0.isLeft), .bytes($0.hash)] })),
            ])
        ).encoded()
        let signature = try key.sign(COSESign1.signedBytes(protected: protected, payload: root), algorithm: .ecdsa(.sha384))
        let proofs = CBORValue.array([CBORValue](repeating: .bytes(proof), count: proofCount))
        let unprotected = CBORMap([(396, .map(CBORMap([(-1, proofs)])))])
        return COSESign1(protected: protected, unprotected: unprotected, payload: payload, signature: signature).encoded(
            unprotected: unprotected)
    }

    private func verdict(_ receipts: (_ digest: [UInt8]) throws -> [CBORValue]) throws -> UVMVerificationResult {
        let message = try COSESign1(fixture.sign(Publisher.header(fixture), payload: Publisher.document()))
        let list = CBORValue.array(try receipts(LedgerReceipt.statementDigest(message)))
        return verifier.verify(message.replacing(unprotected: CBORMap([(394, list)])), policy: policy)
    }

    @Test("one that is correct", arguments: [0, 1, 5, 64]) func control(steps: Int) throws {
        let result = try verdict { [.bytes(try receipt(for: $0, steps: steps))] }
        #expect(result.isVerified, "\(result.detail(.receipt))")
        #expect(result.detail(.receipt) == "verified: ledger.example, key ledger-key")
    }

    @Test("a verified one beside one of another ledger, and never beside a broken one") func several() throws {
        let result = try verdict { [.bytes(try receipt(for: $0)), .bytes(try receipt(for: $0, keyID: "other-key"))] }
        #expect(result.isVerified)
        #expect(result.detail(.receipt).contains("not checked: receipt 2: ledger.example, key other-key"))
        #expect(try verdict { [.bytes(try receipt(for: $0)), .bytes([1])] }.failures == ["uvm-receipt"])
        let wrong = DigestAlgorithm.sha256.digest([])
        #expect(try verdict { [.bytes(try receipt(for: $0)), .bytes(try receipt(for: wrong))] }.failures == ["uvm-receipt"])
    }

    @Test("ones that prove nothing") func refused() throws {
        #expect(try verdict { [.bytes(try receipt(for: $0, keyID: "other-key"))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, algorithm: -7))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, algorithm: -257))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, structure: 1))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, steps: 65))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, evidence: String(repeating: "x", count: 1025)))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, extra: [(2, [99])]))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, payload: [1]))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, proofCount: 0))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, proofCount: 5))] }.failures == ["uvm-receipt"])
        #expect(try verdict { [.bytes(try receipt(for: $0, keyID: "line\nbreak"))] }.failures == ["uvm-receipt"])
        #expect(try verdict { _ in [] }.failures == ["uvm-receipt"])
        #expect(try verdict { _ in ["text"] }.failures == ["uvm-receipt"])
        #expect(try verdict { digest in [CBORValue](repeating: .bytes(try receipt(for: digest)), count: 17) }.failures == ["uvm-receipt"])
    }

    @Test("two keys of one identifier are both tried") func sameIdentifier() throws {
        var policy = policy
        let other = try PrivateKey.generateEC(.p384).publicKey
        policy.ledgerKeys = try LedgerKeys(jwks: try Self.jwks([("ledger-key", other), ("ledger-key", key.publicKey)]))
        let message = try COSESign1(fixture.sign(Publisher.header(fixture), payload: Publisher.document()))
        let receipt = try receipt(for: LedgerReceipt.statementDigest(message))
        let cose = message.replacing(unprotected: CBORMap([(394, [.bytes(receipt)])]))
        #expect(verifier.verify(cose, policy: policy).isVerified)
        policy.ledgerKeys = try LedgerKeys(jwks: try Self.jwks([("ledger-key", other)]))
        #expect(verifier.verify(cose, policy: policy).detail(.receipt) == "the receipt's signature does not verify")
    }

    @Test(
        "key sets that are refused",
        arguments: [
            "", "[]", #"{"keys":[]}"#, #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-384","kid":"a"}]}"#, #"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"secp256k1","kid":"a","x":"AA","y":"AA"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"A A","y":"AA"}]}"#, #"{"keys":{}}"#,
        ]) func keySets(_ text: String)
    { #expect(throws: (any Error).self) { try LedgerKeys(jwks: Array(text.utf8)) } }
}
