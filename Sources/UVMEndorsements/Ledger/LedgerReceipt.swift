internal import OpenSSLCrypto
internal import PlainText

/// A COSE receipt of a CCF ledger (LedgerReceipts.md, "Receipt" and "Inclusion proof"): proof that a statement was entered into the ledger,
/// signed by the ledger's service key.
struct LedgerReceipt: Sendable {
    /// Why a receipt proves nothing.
    enum Failure: Error, Equatable {
        /// Not a receipt.
        case malformed(String)
        /// A receipt of another kind of ledger.
        case unsupported(String)
        /// A receipt for something else, or altered.
        case invalid(String)

        var reason: String {
            switch self {
            case .malformed(let reason), .unsupported(let reason), .invalid(let reason): reason
            }
        }
    }

    /// A path from a leaf of the ledger's Merkle tree to its root.
    struct Proof: Sendable {
        let transactionHash: [UInt8]
        let evidence: String
        let dataHash: [UInt8]
        let path: [(isLeft: Bool, hash: [UInt8])]
    }

    static let maximumReceipts = 16
    private static let maximumProofs = 4
    private static let maximumPath = 64
    private static let receiptsLabel: Int64 = 394
    private static let dataStructureLabel: Int64 = 395
    private static let proofsLabel: Int64 = 396
    private static let inclusion: Int64 = -1
    /// CCF_LEDGER_SHA256.
    private static let ccfLedger: Int64 = 2

    /// Who runs the ledger, from the CWT claims; printable.
    let issuer: String
    /// Which of the ledger's keys signed.
    let keyID: String
    let algorithm: COSEAlgorithm
    let proofs: [Proof]
    private let protected: [UInt8]
    private let signature: [UInt8]

    init(_ bytes: [UInt8]) throws(Failure) {
        let message: COSESign1
        let header: CBORMap
        do {
            message = try COSESign1(bytes)
            header = try message.protectedHeader()
        } catch { throw .malformed(error.reason) }
        guard header[Self.dataStructureLabel]?.integer == Self.ccfLedger else {
            throw .unsupported("the receipt is not that of a CCF ledger")
        }
        guard header[2] == nil else { throw .unsupported("the receipt has critical labels") }
        guard let identifier = header[1]?.integer, let algorithm = COSEAlgorithm(rawValue: identifier) else {
            throw .unsupported("the receipt's algorithm is not accepted")
        }
        guard let keyID = header[4]?.bytes.flatMap(Self.keyID),
            let issuer = header[15]?.map?[1]?.text.flatMap({ Self.printable(Array($0.utf8), maximum: 256) })
        else { throw .malformed("the receipt does not name its ledger and key") }
        guard message.payload == nil else { throw .malformed("the receipt's payload is not detached") }
        guard let encoded = message.unprotected[Self.proofsLabel]?.map?[Self.inclusion]?.array,
            (1...Self.maximumProofs).contains(encoded.count)
        else { throw .malformed("the receipt has no inclusion proof, or too many") }
        var proofs: [Proof] = []
        for proof in encoded { proofs.append(try Self.proof(proof)) }
        self.proofs = proofs
        self.issuer = issuer
        self.keyID = keyID
        self.algorithm = algorithm
        protected = message.protected
        signature = message.signature
    }

    /// The receipts in an unprotected header; none where the label is absent.
    static func encodedReceipts(in unprotected: CBORMap) -> Result<[[UInt8]], UVMEndorsementError> {
        guard let value = unprotected[receiptsLabel] else { return .success([]) }
        guard let elements = value.array, (1...maximumReceipts).contains(elements.count) else {
            return .failure(UVMEndorsementError(.receipt, "the receipts (394) are not a list of 1 to \(maximumReceipts)"))
        }
        let receipts = elements.compactMap(\.bytes)
        guard receipts.count == elements.count else { return .failure(UVMEndorsementError(.receipt, "a receipt is not a byte string")) }
        return .success(receipts)
    }

    /// What a ledger stores the digest of: the message with an empty unprotected header.
    static func statementDigest(_ message: COSESign1) -> [UInt8] { DigestAlgorithm.sha256.digest(message.encoded(unprotected: CBORMap())) }

    /// Checks that every proof is about the statement with this digest and that `key` signed the root it leads to.
    func verify(statementDigest: [UInt8], key: PublicKey) throws(Failure) {
        guard algorithm.fits(key.kind) else { throw .invalid("the receipt's algorithm does not fit the ledger's key") }
        for proof in proofs {
            guard proof.dataHash == statementDigest else { throw .invalid("the receipt is about another statement") }
            let signed = COSESign1.signedBytes(protected: protected, payload: proof.root)
            guard key.verifies(signature, of: signed, algorithm: algorithm.signatureAlgorithm) else {
                throw .invalid("the receipt's signature does not verify")
            }
        }
    }

    private static func proof(_ value: CBORValue) throws(Failure) -> Proof {
        guard let bytes = value.bytes, let map = (try? CBORValue.parse(bytes, limits: COSESign1.limits))?.map, let leaf = map[1]?.array,
            leaf.count == 3, let transaction = leaf[0].bytes, transaction.count == 32, let evidence = leaf[1].text,
            evidence.utf8.count <= 1024, let data = leaf[2].bytes, data.count == 32, let steps = map[2]?.array, steps.count <= maximumPath
        else { throw .malformed("the receipt's inclusion proof is not one of a CCF ledger") }
        var path: [(isLeft: Bool, hash: [UInt8])] = []
        for step in steps {
            guard let parts = step.array, parts.count == 2, case .boolean(let isLeft) = parts[0], let hash = parts[1].bytes,
                hash.count == 32
            else { throw .malformed("the receipt's inclusion proof has a step that is not a side and a digest") }
            path.append((isLeft, hash))
        }
        return Proof(transactionHash: transaction, evidence: evidence, dataHash: data, path: path)
    }

    /// An identifier as JWK sets have it. Ledgers write its hex digits as text bytes, newer ones the digest that they stand for.
    static func keyID(_ bytes: [UInt8]) -> String? {
        printable(bytes, maximum: 128) ?? ((1...64).contains(bytes.count) ? Hex.encode(bytes) : nil)
    }

    private static func printable(_ bytes: [UInt8], maximum: Int) -> String? {
        guard bytes.consists(of: .visible, count: 1...maximum) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension LedgerReceipt.Proof {
    /// The root of the Merkle tree, 32 bytes.
    var root: [UInt8] {
        let sha256 = DigestAlgorithm.sha256
        let leaf = sha256.digest(transactionHash + sha256.digest(Array(evidence.utf8)) + dataHash)
        return path.reduce(leaf) { hash, step in sha256.digest(step.isLeft ? step.hash + hash : hash + step.hash) }
    }
}
