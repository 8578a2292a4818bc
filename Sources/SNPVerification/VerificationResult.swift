package import OpenSSLCrypto
package import PlainText
package import SNPReport

/// What a judgement comes to.
package enum Verdict: String, Sendable, CaseIterable {
    /// Every check that this evidence needs ran and passed.
    case verified
    /// The same but for what is named as left out.
    case limited
    /// Something does not hold.
    case rejected
    /// Nothing is known to be wrong, and it cannot be judged here: an unknown version of the report, a product without a root, a floor
    /// that names no value for this processor.
    case unsupported
}

/// Something that was not judged.
package struct Omission: Sendable, Equatable {
    /// Stable, kebab-case; that of the check where there is one.
    package let code: String
    /// One line in plain words.
    package let detail: String

    package init(_ code: String, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// What the verifier found, check by check.
package struct VerificationResult: Sendable {
    package let verdict: Verdict
    /// What a `limited` verdict is limited by.
    package let leftOut: [Omission]
    /// What this verification does not check at all, whatever its verdict.
    package let notChecked: [Omission]
    /// In the order in which they ran; the codes are those of `CheckCode`, each at most once.
    package let checks: [Check]
    /// The decoded report, `nil` where its form is refused or its version is not known.
    package let report: AttestationReport?
    /// The certificates that were judged, `nil` where they do not reach from a leaf to a root.
    package let endorsement: Endorsement?

    /// Whether every check that this report needs ran and passed, with nothing left out.
    package var isVerified: Bool { verdict == .verified }
    /// Whether the evidence holds, with or without something left out on request.
    package var isAcceptable: Bool { verdict == .verified || verdict == .limited }
    /// Whether the given chain's leaf signed the report and the chain holds together, which is enough for passing both on to somebody who
    /// can judge what cannot be judged here.
    package var isWorthPassingOn: Bool {
        isAcceptable
            || verdict == .unsupported
                && [CheckCode.reportSignature, .leafSignature, .intermediateSignature].allSatisfy { code in
                    checks.contains { $0.code == code.rawValue && $0.ok }
                }
    }
    /// Codes of the checks that failed. Empty where the evidence holds.
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
    private(set) var leftOut: [Omission] = []
    /// Codes of failures that say only that something cannot be judged, and of those that follow from them.
    private var unsupported: Set<String> = []
    private var consequences: Set<String> = []

    mutating func pass(_ code: CheckCode, _ detail: String) { checks.append(Check(code.rawValue, true, detail)) }

    mutating func fail(_ code: CheckCode, _ detail: String) { checks.append(Check(code.rawValue, false, detail)) }

    /// Records that something cannot be judged. `consequences` are checks that then fail for no other reason.
    mutating func cannotJudge(_ code: CheckCode, _ detail: String, consequences: [CheckCode] = []) {
        fail(code, detail)
        unsupported.insert(code.rawValue)
        self.consequences.formUnion(consequences.map(\.rawValue))
    }

    mutating func leaveOut(_ code: CheckCode, _ detail: String) { leftOut.append(Omission(code.rawValue, detail)) }

    mutating func leaveOut(field name: String, _ detail: String) { leftOut.append(Omission(name, detail)) }

    /// Records a pass, or the complaint where there is one.
    mutating func record(_ code: CheckCode, complaint: String?, otherwise detail: String) {
        if let complaint { fail(code, complaint) } else { pass(code, detail) }
    }

    /// Verified only where nothing failed and everything in `required` passed.
    func verdict(_ required: Set<CheckCode>) -> Verdict {
        let failures = Set(checks.failures)
        if failures.isEmpty {
            guard Set(required.map(\.rawValue)).isSubset(of: checks.map(\.code)) else { return .rejected }
            return leftOut.isEmpty ? .verified : .limited
        }
        return !unsupported.isEmpty && failures.isSubset(of: unsupported.union(consequences)) ? .unsupported : .rejected
    }
}
