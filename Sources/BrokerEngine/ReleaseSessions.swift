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
        var usesLeft: Int
        /// Ends the session, and so wipes its key, when its time is over, whether or not anybody looks.
        let timer: DeadlineTimer
    }

    private struct Making {
        var waiters: [UInt64: FirstResult<Lease?>]
        /// Whether the session may stay open for others when it is there.
        var mayStay = true
    }

    private struct State {
        var open: [ReleaseSession.Scope: Open] = [:] {
            didSet { for (scope, old) in oldValue where open[scope]?.session !== old.session { old.timer.cancel() } }
        }
        /// Keys that a fresh session was denied too, and until when that is remembered.
        var denied: [KeyReference: ContinuousClock.Instant] = [:]
        var making: [ReleaseSession.Scope: Making] = [:]
        var counter: UInt64 = 0

        mutating func next() -> UInt64 {
            counter += 1
            return counter
        }
    }

    /// Stores that a request may name without being configured are many; their sessions must not be.
    private static let capacity = 64
    private static let deniedCapacity = 256

    let options: ReleaseSessionOptions
    private let clock: any WallClock
    private let state = Mutex(State())

    init(_ options: ReleaseSessionOptions, clock: any WallClock) {
        self.options = options
        self.clock = clock
    }

    /// How many sessions are open.
    var count: Int { state.withLock { $0.open.count } }

    /// The scope's session, or a new one that `make` brings. `make` runs in a task of its own: a caller that goes away takes the session
    /// from nobody.
    func lease(
        for scope: ReleaseSession.Scope, in context: RequestContext,
        make: @escaping @Sendable () async throws(BrokerError) -> ReleaseSession
    ) async throws(BrokerError) -> Lease { while true { if let lease = try await attempt(scope, context, make) { return lease } } }

    /// One try; `nil` where the session that this caller waited for has been used up by those before it.
    private func attempt(
        _ scope: ReleaseSession.Scope, _ context: RequestContext, _ make: @escaping @Sendable () async throws(BrokerError) -> ReleaseSession
    ) async throws(BrokerError) -> Lease? {
        let waiter = FirstResult<Lease?>()
        let ticket = state.withLock { state -> UInt64? in
            if let lease = reuse(scope, in: &state) {
                waiter.finish(.success(lease))
                return nil
            }
            let ticket = state.next()
            if state.making[scope] != nil {
                state.making[scope]?.waiters[ticket] = waiter
                return ticket
            }
            state.making[scope] = Making(waiters: [ticket: waiter])
            Task {
                let result: Result<ReleaseSession, BrokerError>
                do throws(BrokerError) { result = .success(try await make()) } catch { result = .failure(error) }
                self.made(result, for: scope)
            }
            return ticket
        }
        guard let ticket else { return try await waiter.result().get() }
        return try await waiter.result(
            by: context.deadline,
            late: BrokerError(.deadlineExceeded, at: .verify, "the request's deadline passed while its release session was made"),
            gone: BrokerError(.deadlineExceeded, at: .verify, "the caller went away")
        ) { error in self.leave(scope, ticket, error) }
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

    /// Ends every session. One that is being made serves those who wait for it, and nobody after them.
    @discardableResult func endAll() -> Int {
        state.withLock { state in
            let ended = state.open.count
            state.open = [:]
            state.denied = [:]
            for scope in state.making.keys { state.making[scope]?.mayStay = false }
            return ended
        }
    }

    /// Ends the sessions whose token speaks of another TCB; their number.
    func endAll(exceptTCB tcb: String) -> Int {
        state.withLock { state in
            let stale = state.open.filter { $0.value.session.tcb != tcb }
            for scope in stale.keys { state.open[scope] = nil }
            return stale.count
        }
    }

    private func reuse(_ scope: ReleaseSession.Scope, in state: inout State) -> Lease? {
        guard var open = state.open[scope] else { return nil }
        // A token that the store would find expired on arrival is of no use.
        guard open.usesLeft > 0, ContinuousClock.now < open.expiry, clock.now() < open.session.token.expiresAt - 60 else {
            state.open[scope] = nil
            return nil
        }
        open.usesLeft -= 1
        state.open[scope] = open.usesLeft > 0 ? open : nil
        return Lease(open.session, isReused: true)
    }

    private func made(_ result: Result<ReleaseSession, BrokerError>, for scope: ReleaseSession.Scope) {
        let began = ContinuousClock.now
        let deliveries: [(FirstResult<Lease?>, Result<Lease?, BrokerError>)] = state.withLock { state in
            guard let making = state.making.removeValue(forKey: scope) else { return [] }
            switch result {
            case .failure(let error): return making.waiters.values.map { ($0, .failure(error)) }
            case .success(let session):
                let left = options.maxUses - making.waiters.count
                if left > 0, making.mayStay {
                    makeRoom(in: &state)
                    let expiry = began.advanced(by: lifetime(of: session))
                    let timer = DeadlineTimer(at: expiry) { [weak self, weak session] in if let session { self?.end(session) } }
                    state.open[scope] = Open(session: session, expiry: expiry, usesLeft: left, timer: timer)
                }
                // In the order of arrival, each as one use.
                return making.waiters.sorted { $0.key < $1.key }.enumerated().map { index, waiter in
                    (waiter.value, .success(index < options.maxUses ? Lease(session, isReused: false) : nil))
                }
            }
        }
        for (waiter, outcome) in deliveries { waiter.finish(outcome) }
    }

    private func makeRoom(in state: inout State) {
        if state.open.count >= Self.capacity, let oldest = state.open.min(by: { $0.value.expiry < $1.value.expiry }) {
            state.open[oldest.key] = nil
        }
    }

    private func leave(_ scope: ReleaseSession.Scope, _ ticket: UInt64, _ error: BrokerError) {
        let waiter = state.withLock { $0.making[scope]?.waiters.removeValue(forKey: ticket) }
        waiter?.finish(.failure(error))
    }
}
