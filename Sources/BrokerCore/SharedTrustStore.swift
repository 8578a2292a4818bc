public import HTTPTransport
public import OpenSSLCrypto
internal import Synchronization

/// The certificate authorities for signatures inside messages, read on first use and once for all providers: parsing the system's some hundred certificates takes
/// longer than the rest of a start, and each copy takes some megabytes.
public final class SharedTrustStore: Sendable {
    private let trust: TLSTrust
    private let loaded = Mutex<Result<TrustStore, CryptoError>?>(nil)

    public init(_ trust: TLSTrust) {
        self.trust = trust
    }

    /// The store. A failure to read it is kept as well: the transport has read the same files at start.
    public func store() throws(CryptoError) -> TrustStore {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let result: Result<TrustStore, CryptoError>
            do throws(CryptoError) {
                result = .success(
                    try TrustStore(
                        files: trust.files, directories: trust.directories,
                        includesSystemDefaults: trust.includesSystemDefaults))
            } catch {
                result = .failure(error)
            }
            loaded = result
            return result
        }.get()
    }
}
