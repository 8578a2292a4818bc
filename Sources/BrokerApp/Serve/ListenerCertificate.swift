internal import BrokerCore
internal import BrokerObservability
internal import OpenSSLCrypto

extension BrokerMetrics {
    /// Tells when the certificate that callers are shown expires. The file is read once, as the listener reads it.
    func watch(certificate path: String) {
        // A file that cannot be read keeps the listener from starting, which says why.
        guard let content = try? BoundedFile.read(path, limit: 1 << 20),
            let shown = try? Certificate.parse(pemOrDER: content, maximumCount: 16).first
        else { return }
        set("broker_listener_certificate_expiry_timestamp_seconds", Double(shown.notAfter))
    }
}
