internal import BrokerCore
internal import HTTPTransport
internal import Synchronization

/// Keys that a store has just refused to the broker's own identity. Whoever asks for one of them in the next seconds gets the same answer,
/// and nothing is made, proved or asked for it.
final class RefusedKeys: Sendable {
    private struct Refusal {
        let error: BrokerError
        let until: ContinuousClock.Instant
    }

    /// Names are a caller's to invent; more than these are not remembered.
    private static let capacity = 1024

    private let memory: Duration
    private let refusals = Mutex<[SharedReleases.Wish: Refusal]>([:])

    /// Zero remembers nothing.
    init(memory: Duration) { self.memory = memory }

    /// Throws what the store said of it.
    func check(_ wish: SharedReleases.Wish) throws(BrokerError) {
        guard memory > .zero, let refusal = refusals.withLock({ $0[wish] }) else { return }
        let left = ContinuousClock.now.duration(to: refusal.until)
        guard left > .zero else { return }
        let error = refusal.error
        throw BrokerError(
            error.code, at: error.stage, error.message, retryAfter: left, upstream: error.upstream, cause: error.cause,
            details: error.details)
    }

    func note(_ error: BrokerError, of wish: SharedReleases.Wish) {
        guard memory > .zero, [.keyNotFound, .releaseDenied].contains(error.code) else { return }
        let now = ContinuousClock.now
        refusals.withLock { refusals in
            if refusals.count >= Self.capacity { refusals = refusals.filter { $0.value.until > now } }
            if refusals.count < Self.capacity { refusals[wish] = Refusal(error: error, until: now.advanced(by: memory)) }
        }
    }

    func forget() { refusals.withLock { $0 = [:] } }
}
