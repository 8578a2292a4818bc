internal import OpenSSLCrypto
internal import Synchronization

/// Tokens that the metadata service gave out. As the real one does, it gives the same token again (ManagedIdentity.md, "Caching"), here
/// until half of its life has passed.
final class MetadataTokenCache: Sendable {
    struct Wish: Hashable, Sendable {
        let resource: String
        let clientID: String
    }

    struct Entry: Sendable {
        let token: String
        /// Seconds since 1970.
        let issuedAt: Int64
    }

    /// Callers choose resources, so not without a bound.
    private static let limit = 64

    private let entries = Mutex<[Wish: Entry]>([:])

    /// What is kept for the wish, or what `make` gives now.
    func entry(for wish: Wish, now: Int64, life: Int64, _ make: () throws(CryptoError) -> String) throws(CryptoError) -> Entry {
        if let kept = entries.withLock({ $0[wish] }), (0..<max(life / 2, 1)).contains(now - kept.issuedAt) { return kept }
        let entry = Entry(token: try make(), issuedAt: now)
        entries.withLock { entries in
            if entries.count >= Self.limit { entries = [:] }
            entries[wish] = entry
        }
        return entry
    }
}
