internal import OpenSSLCrypto
internal import Synchronization

/// Signatures of certificates that were found to be right, by the digests of certificate and issuer.
///
/// An RSA-4096 signature takes as long to check as much else about a report, a machine shows the same chain for months, and the answer
/// depends on nothing but the two certificates: neither time nor policy is in it. Whoever verifies repeatedly owns one; wrong signatures
/// are not remembered.
package final class VerifiedSignatures: Sendable {
    private static let capacity = 64

    private let right = Mutex<Set<[UInt8]>>([])

    package init() {}

    /// Number of signatures that are known to be right.
    var count: Int { right.withLock { $0.count } }

    /// The same as `certificate.isSigned(by: issuer)`.
    func isSigned(_ certificate: Certificate, by issuer: Certificate) -> Bool {
        isRight(certificate.sha256 + issuer.sha256) { certificate.isSigned(by: issuer) }
    }

    /// The same as `list.isSigned(by: issuer)`.
    func isSigned(_ list: RevocationList, by issuer: Certificate) -> Bool {
        isRight(list.sha256 + issuer.sha256) { list.isSigned(by: issuer) }
    }

    private func isRight(_ pair: [UInt8], _ verify: () -> Bool) -> Bool {
        if right.withLock({ $0.contains(pair) }) { return true }
        guard verify() else { return false }
        right.withLock { right in
            if right.count >= Self.capacity { right.removeAll() }
            right.insert(pair)
        }
        return true
    }
}
