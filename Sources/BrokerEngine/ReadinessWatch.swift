internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import Synchronization
internal import Waiting

/// Notices that the broker is not ready when a request shows it, and tells the log when readiness changes, whoever noticed.
///
/// A service that did not answer a request stands in the way until another request gets an answer from it, or for half a minute: where
/// nobody asks because it is not ready, nobody could find out that it is again.
final class ReadinessWatch: Sendable {
    /// What did not answer.
    private enum Part: Hashable, Sendable {
        case evidence
        case authority(Endpoint)
        case store(Endpoint)
    }

    private struct Failure {
        let reason: String
        let timer: DeadlineTimer
        let number: UInt64
    }

    private struct State {
        var failures: [Part: Failure] = [:]
        var counter: UInt64 = 0
        /// What the log was told last.
        var told: [String] = []
    }

    static let memory = Duration.seconds(30)

    /// Only these count: any other endpoint is one that a caller named.
    private let authority: Endpoint?
    private let stores: [Endpoint]
    private let logger: Logger
    private let state = Mutex(State())

    init(authority: Endpoint?, stores: [Endpoint], logger: Logger) {
        self.authority = authority
        self.stores = stores
        self.logger = logger
    }

    var obstacles: [String] { state.withLock { Self.obstacles($0) } }

    /// Reads what a request's end says about the services behind it.
    func note(_ record: RequestRecord) {
        if let error = record.error, let part = part(of: error, record) {
            guard error.isAboutService else { return }
            fail(part, "\(error.stage.rawValue) failed: \(error.message)")
        } else if record.error == nil {
            succeed(parts(of: record))
        }
    }

    /// Tells the log what has changed since it was told last. `obstacles` is all that is known now.
    func tell(_ obstacles: [String]) {
        let (new, isReadyAgain) = state.withLock { state in
            defer { state.told = obstacles }
            return (obstacles.filter { !state.told.contains($0) }, obstacles.isEmpty && !state.told.isEmpty)
        }
        for obstacle in new { logger.warning("not ready: \(obstacle)") }
        if isReadyAgain { logger.notice("ready again") }
    }

    private func fail(_ part: Part, _ reason: String) {
        let (isNew, old) = state.withLock { state in
            let old = state.failures[part]
            state.counter += 1
            let number = state.counter
            let timer = DeadlineTimer(at: .now.advanced(by: Self.memory)) { [weak self] in self?.expire(part, number) }
            state.failures[part] = Failure(reason: reason, timer: timer, number: number)
            if old == nil { state.told.append(reason) }
            return (old == nil, old)
        }
        old?.timer.cancel()
        if isNew { logger.warning("not ready: \(reason)") }
    }

    private func succeed(_ parts: [Part]) { remove { state in parts.compactMap { part in state.failures.removeValue(forKey: part) } } }

    private func expire(_ part: Part, _ number: UInt64) {
        remove { state in
            guard state.failures[part]?.number == number else { return [] }
            return [state.failures.removeValue(forKey: part)].compactMap(\.self)
        }
    }

    private func remove(_ take: (inout State) -> [Failure]) {
        let (removed, isReadyAgain) = state.withLock { state in
            let removed = take(&state)
            let reasons = removed.map(\.reason)
            let before = state.told.count
            state.told.removeAll { reasons.contains($0) }
            return (removed, before > 0 && state.told.isEmpty)
        }
        for failure in removed { failure.timer.cancel() }
        if isReadyAgain { logger.notice("ready again") }
    }

    private static func obstacles(_ state: State) -> [String] { state.failures.values.map(\.reason).sorted() }

    private func part(of error: BrokerError, _ record: RequestRecord) -> Part? {
        switch error.stage {
        case .evidence, .endorsement: .evidence
        case .verify: record.authority.flatMap { $0 == authority ? .authority($0) : nil }
        case .identity, .release: record.storeEndpoint.flatMap { stores.contains($0) ? .store($0) : nil }
        case .startup, .decode, .caller, .route, .unwrap, .audit: nil
        }
    }

    private func parts(of record: RequestRecord) -> [Part] {
        var parts: [Part] = []
        // The public half may have been at hand.
        guard record.operation != .wrapKey else { return parts }
        // A session that was there asked neither the firmware nor the authority.
        if record.session != .reused {
            parts.append(.evidence)
            if let authority = record.authority { parts.append(.authority(authority)) }
        }
        if let store = record.storeEndpoint { parts.append(.store(store)) }
        return parts
    }
}

extension BrokerError {
    /// Whether it says that something behind the broker does not work, and not that it said no.
    fileprivate var isAboutService: Bool {
        switch code {
        case .evidenceUnavailable, .identityFailed, .upstreamUnavailable: true
        case .deadlineExceeded: !isCancellation
        case .invalidRequest, .noProvider, .endorsementMismatch, .verificationRejected, .releaseDenied, .keyNotFound, .upstreamThrottled,
            .upstreamInvalid, .overloaded, .callerRefused, .auditUnavailable, .unwrapFailed, .misconfigured, .internal:
            false
        }
    }
}
