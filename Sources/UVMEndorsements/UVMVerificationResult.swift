package import PlainText

/// The outcome of `UVMEndorsementVerifier.verify`.
package struct UVMVerificationResult: Sendable {
    /// Whether every check of `UVMCheckCode` was made and passed.
    package let isVerified: Bool
    /// In the order of `UVMCheckCode.allCases`, each code at most once. A check that an earlier failure made impossible is absent.
    package let checks: [Check]
    /// The endorsement, when all of it could be read, also when it is not verified.
    package let endorsement: UVMEndorsement?

    /// Codes of the checks that failed. Not empty when the endorsement is not verified.
    package var failures: [String] { checks.failures }
}

/// Collects what is found about each check.
struct UVMCheckLog {
    private var findings: [UVMCheckCode: (remarks: [String], complaints: [String])] = [:]

    /// The check was made and found this.
    mutating func pass(_ code: UVMCheckCode, _ remark: String) { findings[code, default: ([], [])].remarks.append(remark) }

    /// The check fails, whatever else is found about it.
    mutating func fail(_ code: UVMCheckCode, _ complaint: String) { findings[code, default: ([], [])].complaints.append(complaint) }

    mutating func fail(_ error: UVMEndorsementError) { fail(error.code, error.detail) }

    /// Passes without complaints, fails with them.
    mutating func record(_ code: UVMCheckCode, _ complaints: [String], otherwise remark: String) {
        if complaints.isEmpty { pass(code, remark) }
        for complaint in complaints { fail(code, complaint) }
    }

    /// In the order of the codes, each at most once.
    var checks: [Check] {
        UVMCheckCode.allCases.compactMap { code in
            findings[code].map { finding in
                let isFailed = !finding.complaints.isEmpty
                let words = isFailed ? finding.complaints : finding.remarks
                return Check(code.rawValue, !isFailed, words.joined(separator: "; "))
            }
        }
    }

    func result(_ endorsement: UVMEndorsement?) -> UVMVerificationResult {
        let checks = checks
        // A verdict needs every check: a path that forgets one must not end in "verified".
        let isVerified = endorsement != nil && checks.count == UVMCheckCode.allCases.count && checks.allSatisfy(\.ok)
        return UVMVerificationResult(isVerified: isVerified, checks: checks, endorsement: endorsement)
    }
}
