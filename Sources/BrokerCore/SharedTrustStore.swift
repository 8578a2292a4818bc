public import HTTPTransport
package import OpenSSLCrypto
internal import Synchronization

/// The certificate authorities for TLS and for signatures inside messages, made once for the transport and all providers.
public final class SharedTrustStore: Sendable {
    private let trust: TLSTrust
    private let loaded = Mutex<Result<TrustStore, CryptoError>?>(nil)

    public init(_ trust: TLSTrust) { self.trust = trust }

    /// The store. A failure to make it is kept as well.
    package func store() throws(CryptoError) -> TrustStore {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let result: Result<TrustStore, CryptoError>
            do throws(CryptoError) {
                result = .success(
                    try TrustStore(files: trust.files, directories: trust.directories, includesSystemDefaults: trust.includesSystemDefaults)
                )
            } catch { result = .failure(error) }
            loaded = result
            return result
        }.get()
    }
}
