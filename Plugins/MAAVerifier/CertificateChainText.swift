internal import BrokerCore
internal import OpenSSLCrypto
internal import Synchronization

/// A certificate chain in the form of a request (AttestationService.md, "Report bundle"): PEM, leaf first, in base64url. The last one is
/// kept, because a machine has one chain for as long as its firmware is the same.
final class CertificateChainText: Sendable {
    private struct Known {
        let chain: [[UInt8]]
        let text: String
    }

    private let last = Mutex<Known?>(nil)

    /// Throws `endorsementMismatch` where one of `chain` is no certificate in DER.
    func text(of chain: [[UInt8]]) throws(BrokerError) -> String {
        if let known = last.withLock({ $0 }), known.chain == chain { return known.text }
        var pem = ""
        for der in chain {
            do { pem += try Certificate.pem(der: der) } catch {
                throw BrokerError(.endorsementMismatch, at: .verify, "an endorsement is no certificate: \(error.reason)", cause: error)
            }
        }
        let text = Base64.encodeURL(Array(pem.utf8))
        last.withLock { $0 = Known(chain: chain, text: text) }
        return text
    }
}
