internal import JOSE
internal import OpenSSLCrypto
internal import Synchronization

/// Signing certificates of release answers that were chained to the trust store, by the host that they were verified for.
///
/// A store signs all its answers with one certificate, under one header. Reading that header and checking the chain in it takes longer than
/// everything else that is checked about an answer, and gives the same result until a certificate of the chain expires; nothing is asked
/// about revocation in either case. A header counts as known when it is the verified one byte for byte. Entries live for an hour at most.
final class VerifiedSigners: Sendable {
    struct Signer: Sendable {
        let header: JWSHeader
        let key: PublicKey
        /// Seconds since 1970, both ends included.
        let validity: ClosedRange<Int64>
    }

    private static let capacity = 16
    private static let maximumAge: Int64 = 3600

    private let signers = Mutex<[String: Signer]>([:])

    /// Who signed the host's last answer, where that can be relied on at `time`.
    func signer(for host: String, at time: Int64) -> Signer? {
        signers.withLock { $0[host] }.flatMap { $0.validity.contains(time) ? $0 : nil }
    }

    /// Keeps what was verified at `time`.
    func keep(_ header: JWSHeader, _ key: PublicKey, chain: [Certificate], for host: String, at time: Int64) {
        guard let start = chain.map(\.notBefore).max(), let end = chain.map(\.notAfter).min() else { return }
        // A clock that is set back ends an entry too.
        let (first, last) = (max(start, time), min(end, time + Self.maximumAge))
        guard first <= last else { return }
        signers.withLock { signers in
            if signers.count >= Self.capacity, signers[host] == nil { signers.removeAll() }
            signers[host] = Signer(header: header, key: key, validity: first...last)
        }
    }
}
