internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Synchronization

/// The open release sessions, at most one for each authority and store.
///
/// A session is made once however many releases want it at the same time. It ends with its age, its uses, its token, or earlier: with a
/// report of another TCB, with an answer that does not fit, and when the operator says so.
final class ReleaseSessions: Sendable {
    /// A session and whether an earlier release has used it.
    struct Lease: Sendable {
        let session: ReleaseSession
        let isReused: Bool

        init(_ session: ReleaseSession, isReused: Bool) {
            self.session = session
            self.isReused = isReused
        }
    }

    private struct Open {
        let session: ReleaseSession
        let expiry: ContinuousClock.Instant
        /// Ends the session, and so wipes its key, when its time is over, whether or not anybody looks.
        let timer: DeadlineTimer
    }

    private struct State {
        var open: [ReleaseSession.Scope: Open] = [:] {
            didSet { for (scope, old) in oldValue where open[scope]?.session !== old.session { old.timer.cancel() } }
        }
        /// Keys that a fresh session was denied too, and until when that is remembered.
        var denied: [KeyReference: ContinuousClock.Instant] = [:]
        /// How often all sessions were ended: one that was being made then serves those who wait for it, and nobody after them.
        var ends = 0
    }

    private struct Making: Hashable, Sendable {
        let scope: ReleaseSession.Scope
        let ends: Int
    }

    /// Stores that a request may name without being configured are many; their sessions must not be.
    private static let capacity = 64
    private static let deniedCapacity = 256

    let options: ReleaseSessionOptions
    private let clock: any WallClock
    private let state = Mutex(State())
    private let makings = SingleFlight<Making, ReleaseSession, BrokerError>()

    init(_ options: ReleaseSessionOptions, clock: any WallClock) {
        self.options = options
        self.clock = clock
    }

    /// How many sessions are open.
    var count: Int { state.withLock { $0.open.count } }

    /// How many releases wait for a session that is being made.
    var waitingCount: Int { makings.waitingCount() }

    /// The scope's session, or a new one that `make` brings, once for all who want it at the same time.
    func lease(
        for scope: ReleaseSession.Scope, in context: RequestContext,
        make: @escaping @Sendable (RequestContext) async throws(BrokerError) -> ReleaseSession
    ) async throws(BrokerError) -> Lease {
        while true {
            let (session, ends) = state.withLock { (usable(scope, in: &$0), $0.ends) }
            if let session {
                guard take(session) else { continue }
                return Lease(session, isReused: true)
            }
            let making = Making(scope: scope, ends: ends)
            let start = ContinuousClock.now
            let made = try await makings.value(for: making, until: { context.deadline }, isOwn: { $0.code == .deadlineExceeded }) {
                latest throws(BrokerError) in
                // It may have been opened since.
                if let session = self.state.withLock({ self.usable(scope, in: &$0) }) { return session }
                let session = try await make(context.shared(until: latest))
                self.open(session, making)
                return session
            }
            guard let made else { throw .cancelled(at: .verify) }
            if made.maker != context.id { context.recorder.add(start.duration(to: .now), to: .shared) }
            // Those who waited may be more than it has uses.
            if take(made) { return Lease(made, isReused: false) }
        }
    }

    /// Counts a use of `session`, and ends it with the last one. `false` where none is left.
    private func take(_ session: ReleaseSession) -> Bool {
        let use = session.uses.add(1, ordering: .relaxed).newValue
        if use >= options.maxUses { end(session) }
        return use <= options.maxUses
    }

    /// Remembers that a fresh session was denied `key`, for as long as a session lives.
    func noteDenial(of key: KeyReference) {
        state.withLock { state in
            state.denied = state.denied.filter { $0.value > .now }
            if state.denied.count < Self.deniedCapacity { state.denied[key] = .now.advanced(by: options.maxAge) }
        }
    }

    /// Whether a denial of `key` says nothing of the session it came to. While the memory is full, this holds for every key:
    /// whoever asks for ever new keys that are denied must not end the sessions of others either.
    func isKnownDenial(of key: KeyReference) -> Bool {
        state.withLock { state in
            state.denied = state.denied.filter { $0.value > .now }
            return state.denied[key] != nil || state.denied.count >= Self.deniedCapacity
        }
    }

    /// No longer than its token: one that the store would find expired on arrival is of no use.
    private func lifetime(of session: ReleaseSession) -> Duration {
        min(options.maxAge, .seconds(max(0, session.token.expiresAt - 60 - clock.now())))
    }

    /// Ends `session` where it is still open.
    func end(_ session: ReleaseSession) {
        state.withLock { state in for (scope, open) in state.open where open.session === session { state.open[scope] = nil } }
    }

    /// Ends every session.
    @discardableResult func endAll() -> Int {
        state.withLock { state in
            let ended = state.open.count
            state.open = [:]
            state.denied = [:]
            state.ends += 1
            return ended
        }
    }

    /// Ends the sessions whose token speaks of another TCB; their number.
    func endAll(exceptTCB tcb: String) -> Int {
        state.withLock { state in
            let stale = state.open.filter { $0.value.session.proof.tcb != tcb }
            for scope in stale.keys { state.open[scope] = nil }
            return stale.count
        }
    }

    private func usable(_ scope: ReleaseSession.Scope, in state: inout State) -> ReleaseSession? {
        guard let open = state.open[scope] else { return nil }
        // A token that the store would find expired on arrival is of no use.
        guard ContinuousClock.now < open.expiry, clock.now() < open.session.token.expiresAt - 60 else {
            state.open[scope] = nil
            return nil
        }
        return open.session
    }

    private func open(_ session: ReleaseSession, _ making: Making) {
        let expiry = ContinuousClock.now.advanced(by: lifetime(of: session))
        state.withLock { state in
            guard state.ends == making.ends else { return }
            makeRoom(in: &state)
            let timer = DeadlineTimer(at: expiry) { [weak self, weak session] in if let session { self?.end(session) } }
            state.open[making.scope] = Open(session: session, expiry: expiry, timer: timer)
        }
    }

    private func makeRoom(in state: inout State) {
        if state.open.count >= Self.capacity, let oldest = state.open.min(by: { $0.value.expiry < $1.value.expiry }) {
            state.open[oldest.key] = nil
        }
    }
}
