internal import PlainText

/// Trust as operators write it in settings.
extension StatementTrust {
    /// Entries that are no issuer are left out: `issuerComplaint` was asked before.
    package init(issuers texts: [String], minimumSVN: UInt64 = 0, extendedKeyUsages: [String] = [], time: Int64?) {
        self.init(
            issuers: texts.compactMap { try? TrustedIssuer($0) }.map { issuer in
                var issuer = issuer
                issuer.minimumSVN = max(issuer.minimumSVN, minimumSVN)
                return issuer
            }, time: time)
        self.extendedKeyUsages = extendedKeyUsages
    }

    /// What is wrong with a list of issuers.
    package static let issuerComplaint: @Sendable ([String]) -> String? = { texts in
        for (index, text) in texts.enumerated() {
            do throws(TrustedIssuer.Complaint) { _ = try TrustedIssuer(text) } catch { return "entry \(index + 1): \(error.description)" }
        }
        return nil
    }

    /// What is wrong with a list of extended key usages.
    package static let usageComplaint: @Sendable ([String]) -> String? = { usages in
        if usages.contains(TrustedIssuer.everySigner) {
            return "\(TrustedIssuer.everySigner) is in every certificate of Microsoft's signers and identifies none"
        }
        let isRight = usages.allSatisfy { $0.utf8.consists(of: .digits + ".", count: 3...128) && $0.utf8.contains(UInt8(ascii: ".")) }
        return isRight ? nil : "expected object identifiers such as 1.3.6.1.4.1.311.76.59.1.2"
    }
}
