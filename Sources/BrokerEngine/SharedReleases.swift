internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import SecureMemory
internal import Synchronization

/// Releases of one key that wait at the same time, answered by one exchange with the key store. For release sessions, where wrapping key
/// and token are shared anyway.
///
/// Nobody gets an older answer than by asking alone: an exchange can be joined until the store is asked, and whoever finds only others
/// under way joins the next one, which begins later. So a key that was disabled, or a policy that was changed, before a caller asked is
/// never passed over, and a wave of callers for one key costs one request to its store.
final class SharedReleases: Sendable {
    /// What must be the same: the broker's identity is the only one that shares.
    struct Wish: Hashable, Sendable {
        let key: KeyReference
        let authority: Endpoint
    }

    /// A key for several owners; each gets a copy of its own and wipes that.
    private final class Answer: Sendable {
        private let key: ReleasedKey
        /// What the request whose exchange it was has learned.
        let record: RequestRecord

        init(_ key: consuming ReleasedKey, _ record: RequestRecord) {
            self.key = key
            self.record = record
        }

        func copy() -> ReleasedKey {
            ReleasedKey(keyID: key.keyID, jwk: key.jwk.withUnsafeBytes { SecretBytes(copying: $0) }, material: key.material)
        }
    }

    private struct Exchange: Hashable {
        let wish: Wish
        let number: UInt64
    }

    /// The exchanges for one wish.
    private struct Line {
        var running = 0
        /// The one that has its turn and has not asked the store yet.
        var open: Exchange?
        /// The one whose turn nobody has taken up yet.
        var reserved: Exchange?
        /// The one that is to begin when another ends; who comes now joins it.
        var next: Exchange?
        /// Where it waits for that.
        var turn = WaitList<Void>()

        var isIdle: Bool { running == 0 && open == nil && next == nil && turn.isEmpty }

        /// `exchange` has its turn.
        mutating func begin(_ exchange: Exchange) {
            if next == exchange { next = nil }
            open = exchange
        }

        /// From now on nobody joins `exchange`.
        mutating func close(_ exchange: Exchange) {
            if next == exchange { next = nil }
            if open == exchange { open = nil }
        }
    }

    /// Exchanges for one wish at a time: one alone would make everybody wait for a slow one.
    static let limit = 4
    /// The same while callers are turned away: half of the exchanges for as many callers leaves that much more for those.
    static let crowdedLimit = 2

    private let exchanges = SingleFlight<Exchange, Answer, BrokerError>()
    private let lines = Mutex<[Wish: Line]>([:])
    private let counter = Atomic<UInt64>(0)
    private let isCrowded: @Sendable () -> Bool
    private let isTroubled: @Sendable (Endpoint) -> Bool

    /// `isCrowded` says whether callers are being turned away, `isTroubled` whether a store asked for fewer requests or fails.
    init(isCrowded: @escaping @Sendable () -> Bool, isTroubled: @escaping @Sendable (Endpoint) -> Bool = { _ in false }) {
        self.isCrowded = isCrowded
        self.isTroubled = isTroubled
    }

    private func limitNow(_ wish: Wish) -> Int { isTroubled(wish.key.store) ? 1 : isCrowded() ? Self.crowdedLimit : Self.limit }

    /// How many wait for an exchange that has not begun.
    var waitingCount: Int {
        let next = lines.withLock { Set($0.values.compactMap(\.next)) }
        return exchanges.waitingCount(where: next.contains)
    }

    /// How many callers wait for any exchange.
    var callerCount: Int { exchanges.waitingCount() }

    /// How many exchanges are under way.
    var runningCount: Int { lines.withLock { $0.values.reduce(0) { $0 + $1.running } } }

    /// Runs `work`, or waits for somebody else's that begins after this call. It runs in a task of its own, with the latest deadline of
    /// those who wait for it, and is cancelled when all of them have gone. It calls its second argument before it asks the store.
    func release(
        _ wish: Wish, in context: RequestContext,
        work: @escaping @Sendable (RequestContext, _ asking: @escaping @Sendable () -> Void) async throws(BrokerError) -> ReleasedKey
    ) async throws(BrokerError) -> ReleasedKey {
        let new = Exchange(wish: wish, number: counter.add(1, ordering: .relaxed).newValue)
        let limit = limitNow(wish)
        let exchange = change(wish) { line in
            if let open = line.open { return open }
            if line.running < limit {
                line.running += 1
                line.reserved = new
                line.begin(new)
                return new
            }
            let next = line.next ?? new
            line.next = next
            return next
        }
        let start = ContinuousClock.now
        let answer = try await exchanges.value(
            for: exchange, until: { context.deadline }, isOwn: { $0.code == .deadlineExceeded }
        ) { latest throws(BrokerError) in
            try await self.waitForTurn(exchange)
            defer { self.end(exchange) }
            let key = try await work(context.shared(until: latest)) { self.change(wish) { $0.close(exchange) } }
            return Answer(key, context.recorder.record)
        }
        guard let answer else { throw .cancelled(at: .release) }
        if answer.record.requestID != context.id {
            context.recorder.note { $0.join(answer.record, after: start.duration(to: .now)) }
            context.logger.debug("key released together", metadata: ["with_request": "\(answer.record.requestID)"])
        }
        return answer.copy()
    }

    private func waitForTurn(_ exchange: Exchange) async throws(BrokerError) {
        let (wish, limit) = (exchange.wish, limitNow(exchange.wish))
        let waiter = change(wish) { line -> Waiter<Void>? in
            guard line.reserved != exchange else {
                line.reserved = nil
                return nil
            }
            guard line.running < limit else { return line.turn.add() }
            line.running += 1
            line.begin(exchange)
            return nil
        }
        guard let waiter else { return }
        let hasTurn = await waiter.value(onCancel: { self.change(wish) { $0.turn.remove(waiter) } }) != nil
        change(wish) { line in if hasTurn { line.begin(exchange) } else { line.close(exchange) } }
        guard hasTurn else { throw .cancelled(at: .release) }
    }

    /// Gives the place to an exchange that waits. Where more are under way than may be now, that is left to another one.
    private func end(_ exchange: Exchange) {
        let (wish, limit) = (exchange.wish, limitNow(exchange.wish))
        let next = change(wish) { line in
            line.close(exchange)
            let next = line.running > limit ? nil : line.turn.takeFirst()
            if next == nil { line.running -= 1 }
            return next
        }
        next?.resume(())
    }

    private func change<Value: Sendable>(_ wish: Wish, _ body: (inout Line) -> Value) -> Value {
        lines.withLock { lines in
            var line = lines[wish] ?? Line()
            defer { lines[wish] = line.isIdle ? nil : line }
            return body(&line)
        }
    }
}

extension RequestRecord {
    /// Takes over what another request has learned about the key that both get.
    fileprivate mutating func join(_ other: RequestRecord, after waiting: Duration) {
        (releasedKeyID, proof, session, isShared) = (other.releasedKeyID, other.proof, other.session, true)
        durations[.shared, default: .zero] += waiting
    }
}
