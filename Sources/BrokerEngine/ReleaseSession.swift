internal import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
internal import Synchronization

/// How long one wrapping key and its verified token may serve several releases.
///
/// The trade-off: a key that is used once can open one key and nothing else, also where it is stolen from memory later. A session's key can
/// open every key that was released in its time, and its token was true when the session began: a change of the machine's TCB that no
/// evidence has shown since is not seen. In return a release costs one private-key operation and one request, and releases of the same key
/// that wait at the same time cost one together (`SharedReleases`).
package struct ReleaseSessionOptions: Sendable, Equatable {
    /// Longest time from the beginning of a session to the beginning of its last release.
    package var maxAge: Duration
    /// Most releases of one session; those that were shared count once, as they do at the key store.
    package var maxUses: Int

    package init(maxAge: Duration, maxUses: Int) {
        self.maxAge = maxAge
        self.maxUses = maxUses
    }
}

/// A wrapping key, the token that names it, and what both were made for.
final class ReleaseSession: Sendable {
    let key: WrappingKey
    let token: AttestationToken
    /// The report behind the token, and the token.
    let proof: RequestRecord.Proof
    /// The request that began it.
    let maker: String
    /// How often it was given to a release.
    let uses = Atomic(0)

    init(key: consuming WrappingKey, token: AttestationToken, proof: RequestRecord.Proof, maker: String) {
        self.key = key
        self.token = token
        self.proof = proof
        self.maker = maker
    }

    /// What a session is bound to: it never serves another authority or store.
    struct Scope: Hashable, Sendable {
        let authority: Endpoint
        let store: Endpoint
    }
}
