internal import OpenSSLCrypto
package import SNPReport
package import SNPVerification

/// Whose certificates are wanted: the key that signed a report.
package struct EndorsementSubject: Sendable, Hashable {
    package enum Kind: String, Sendable {
        /// Versioned chip endorsement key.
        case vcek
        /// Versioned loaded endorsement key.
        case vlek
    }

    /// 64 bytes; zero where the platform masks it.
    package let chipID: [UInt8]
    /// REPORTED_TCB: the key's own TCB.
    package let tcb: TCBVersion
    package let kind: Kind
    /// `nil` where the report does not say, which those of version 2 do not.
    package let product: ProcessorProduct?

    package init(_ report: AttestationReport, product: ProcessorProduct? = nil, products: ProductTable = .builtIn) {
        chipID = report.chipID
        tcb = report.reportedTCB
        kind = report.keyInfo.signingKey == .vlek ? .vlek : .vcek
        self.product = report.cpuid.flatMap(products.product) ?? product
    }

    var isChipMasked: Bool { chipID.allSatisfy { $0 == 0 } }

    /// Products to try, the known one alone where there is one.
    var candidates: [ProcessorProduct] { product.map { [$0] } ?? [.milan, .genoa] }

    /// Whether there is one such key in the world: then a report that does not verify with it is a forgery, and asking again brings
    /// nothing.
    var hasOneKey: Bool { kind == .vcek && !isChipMasked }

    /// A name for files: no path can be made of it. The TCB stands there whole, with every level and on Turin with the FMC's.
    var fileName: String {
        let chip = Hex.encode(DigestAlgorithm.sha256.digest(Array((product?.rawValue ?? "").utf8) + chipID).prefix(16))
        return "\(kind.rawValue)-\(chip)-\(tcb.hex).pem"
    }

    /// Whether a file is one that is named like this, or the beginning of one.
    static func isFileName(_ name: String) -> Bool {
        (name.hasPrefix("vcek-") || name.hasPrefix("vlek-")) && (name.hasSuffix(".pem") || name.hasSuffix(".new"))
    }
}
