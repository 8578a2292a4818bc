internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import Synchronization

/// Keys whose release policy did not admit the token of an alternate authority, for some minutes: failing over costs an attestation and a
/// request to the store, which those keys are spared.
final class RefusedAlternates: Sendable {
    private struct Pair: Hashable {
        let key: KeyReference
        let authority: Endpoint
    }

    static let memory = Duration.seconds(300)
    private static let capacity = 256
    private let until = Mutex<[Pair: ContinuousClock.Instant]>([:])

    func note(_ key: KeyReference, _ authority: Endpoint) {
        until.withLock { until in
            until = until.filter { $0.value > .now }
            if until.count < Self.capacity { until[Pair(key: key, authority: authority)] = .now.advanced(by: Self.memory) }
        }
    }

    func contains(_ key: KeyReference, _ authority: Endpoint) -> Bool {
        until.withLock { $0[Pair(key: key, authority: authority)].map { $0 > .now } ?? false }
    }
}

extension BrokerEngine {
    /// The authority of a release, and behind it those that may take its place: none where the request names one. One that fails just now
    /// is asked last.
    func releaseAuthorities(_ named: Endpoint?) throws(BrokerError) -> [Endpoint] {
        let chosen = try chooseAuthority(named)
        guard named == nil else { return [chosen] }
        let all = [chosen] + verifier.provider.alternateAuthorities.filter { $0 != chosen }
        return all.filter { !isFailing($0) } + all.filter(isFailing)
    }

    private func isFailing(_ authority: Endpoint) -> Bool {
        switch upstreams?.upstreamState(of: .service(authority))?.state {
        case .failing, .open, .probing: true
        case .throttled, nil: false
        }
    }

    /// What `work` brings with the first authority that can be asked (Resilience.md, "Another authority").
    func firstThatAnswers<Value: ~Copyable>(
        _ authorities: [Endpoint], for key: KeyReference, in context: RequestContext,
        _ work: (Endpoint) async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        var failure: BrokerError?
        for authority in authorities {
            let isAlternate = authority != verifier.provider.defaultAuthority && authorities.count > 1
            if isAlternate, refusedAlternates.contains(key, authority) { continue }
            do { return try await work(authority) } catch {
                if isAlternate, error.code == .releaseDenied {
                    refusedAlternates.note(key, authority)
                    context.logger.notice(
                        "the token of another authority does not open the key", metadata: ["key": "\(key)", "authority": "\(authority)"])
                } else {
                    guard authorities.count > 1, error.isOfAuthority, !context.deadline.hasPassed, !Task.isCancelled else { throw error }
                    context.logger.notice(
                        "the authority cannot be asked", metadata: ["authority": "\(authority)", "reason": "\(error.message)"])
                }
                // What keeps the first from being asked passes; that an alternate is not admitted does not.
                if failure == nil || error.isRetryable { failure = error }
            }
        }
        throw failure
            ?? BrokerError(
                .upstreamUnavailable, at: .verify,
                "the authority cannot be asked just now, and the key's release policy admits no other", retryAfter: .seconds(1))
    }
}

extension BrokerError {
    /// Whether another authority could do better.
    fileprivate var isOfAuthority: Bool {
        guard stage == .verify else { return false }
        switch code {
        case .upstreamUnavailable, .upstreamThrottled, .deadlineExceeded: return true
        default: return false
        }
    }
}
