internal import OpenSSLCrypto

/// Judges the receipts of one endorsement.
///
/// Without keys every receipt must still be readable, or be of a ledger that is not known here. With keys at least one must verify, and one
/// that names a given key must not fail; receipts of other keys and ledgers are left alone beside a verified one.
struct LedgerReceiptCheck {
    /// What is wrong; empty when the check passes.
    let complaints: [String]
    /// What was found when nothing is wrong.
    let remark: String

    init(receipts: [[UInt8]], message: COSESign1, keys: LedgerKeys?, isRequired: Bool) {
        guard !receipts.isEmpty else {
            complaints = isRequired ? ["a ledger receipt is required, and there is none"] : []
            remark = "no ledger receipts"
            return
        }
        let digest = LedgerReceipt.statementDigest(message)
        var complaints: [String] = []
        var verified: [String] = []
        var unchecked: [String] = []
        for (index, bytes) in receipts.enumerated() {
            let place = receipts.count == 1 ? "" : "receipt \(index + 1): "
            do {
                let receipt = try LedgerReceipt(bytes)
                let candidates = keys.map { receipt.keys(in: $0) } ?? []
                guard !candidates.isEmpty else {
                    unchecked.append("\(place)\(receipt.issuer), key \(receipt.keyID)")
                    continue
                }
                try receipt.verify(statementDigest: digest, withOneOf: candidates)
                verified.append("\(place)\(receipt.issuer), key \(receipt.keyID)")
            } catch LedgerReceipt.Failure.unsupported(let reason) { unchecked.append("\(place)\(reason)") } catch {
                complaints.append("\(place)\(error.reason)")
            }
        }
        if complaints.isEmpty, verified.isEmpty, isRequired || keys != nil {
            let why = keys == nil ? "no ledger keys were given" : "no receipt is of a ledger whose keys were given"
            complaints.append("no ledger receipt could be verified: \(why)")
        }
        self.complaints = complaints
        let notChecked = unchecked.isEmpty ? nil : "not checked: \(unchecked.joined(separator: "; "))"
        let found = verified.isEmpty ? nil : "verified: \(verified.joined(separator: "; "))"
        remark = [found, notChecked].compactMap(\.self).joined(separator: "; ")
    }
}

extension LedgerReceipt {
    /// The keys that may have signed this receipt.
    func keys(in pinned: LedgerKeys) -> [PublicKey] { pinned.keys(withID: keyID, of: issuer) }

    /// Verifies with the first key that fits, or fails as the last one does.
    func verify(statementDigest: [UInt8], withOneOf keys: [PublicKey]) throws(Failure) {
        var failure = Failure.invalid("the receipt's key is not known")
        for key in keys { do { return try verify(statementDigest: statementDigest, key: key) } catch { failure = error } }
        throw failure
    }
}
