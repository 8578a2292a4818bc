internal import OpenSSLCrypto
internal import Synchronization

/// Remembers the certificates of the last chain: one guest after the other comes from the same machine, and to parse three certificates
/// takes longer than to sign a token.
final class ParsedChains: Sendable {
    private let last = Mutex<(pem: [UInt8], certificates: [Certificate])?>(nil)

    /// As `Certificate.parse`, whose errors are not remembered.
    func certificates(of pem: [UInt8], maximumCount: Int) throws(CryptoError) -> [Certificate] {
        if let last = last.withLock({ $0 }), last.pem == pem { return last.certificates }
        let certificates = try Certificate.parse(pemOrDER: pem, maximumCount: maximumCount)
        last.withLock { $0 = (pem, certificates) }
        return certificates
    }
}
