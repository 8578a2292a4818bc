package import OpenSSLCrypto
package import PlainText
package import SNPReport

/// What the verifier found, check by check.
package struct VerificationResult: Sendable {
    /// Whether every check that this report needs ran and passed.
    package let isVerified: Bool
    /// In the order in which they ran; the codes are those of `CheckCode`, each at most once.
    package let checks: [Check]
    /// The decoded report, `nil` where its form is refused.
    package let report: AttestationReport?
    /// The certificates that were judged, `nil` where they do not reach from a leaf to a root.
    package let endorsement: Endorsement?

    /// Codes of the checks that failed. Never empty unless `isVerified`.
    package var failures: [String] { checks.failures }
}

/// A leaf and its chain, picked out of the certificates that were given. Whether they hold is in the checks.
package struct Endorsement: Sendable {
    /// Which key signs reports.
    package enum Kind: String, Sendable, CaseIterable {
        /// Versioned chip endorsement key.
        case vcek = "VCEK"
        /// Versioned loaded endorsement key.
        case vlek = "VLEK"
    }

    /// By the name of the leaf's issuer.
    package let product: ProcessorProduct
    package let kind: Kind
    package let leaf: Certificate
    /// ASK, or ASVK for a VLEK.
    package let intermediate: Certificate
    /// ARK.
    package let root: Certificate
    /// Name of the pin that the root matches, `nil` when it matches none.
    package let pinnedRoot: String?
    /// What the leaf says about chip, TCB and product; `nil` where AMD's extensions could not be decoded.
    package let extensions: LeafExtensions?

    /// DER certificates, leaf first.
    package var chain: [[UInt8]] { [leaf.der, intermediate.der, root.der] }
}

/// Collects checks in order.
struct Findings {
    private(set) var checks: [Check] = []

    mutating func pass(_ code: CheckCode, _ detail: String) { checks.append(Check(code.rawValue, true, detail)) }

    mutating func fail(_ code: CheckCode, _ detail: String) { checks.append(Check(code.rawValue, false, detail)) }

    /// Records a pass, or the complaint where there is one.
    mutating func record(_ code: CheckCode, complaint: String?, otherwise detail: String) {
        if let complaint { fail(code, complaint) } else { pass(code, detail) }
    }

    /// Whether nothing failed and everything in `required` passed.
    func accept(_ required: Set<CheckCode>) -> Bool {
        checks.allSatisfy(\.ok) && Set(required.map(\.rawValue)).isSubset(of: checks.map(\.code))
    }
}
