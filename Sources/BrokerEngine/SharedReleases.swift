internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import SecureMemory
internal import Synchronization

/// Releases of one key that wait at the same time, answered by one exchange with the key store. For release sessions, where wrapping key
/// and token are shared anyway.
///
/// Nobody gets an older answer than by asking alone: whoever finds exchanges under way joins the next one, which begins later. So a key
/// that was disabled, or a policy that was changed, before a caller asked is never passed over.
final class SharedReleases: Sendable {
    /// What must be the same: the broker's identity is the only one that shares.
    struct Wish: Hashable, Sendable {
        let key: KeyReference
        let authority: Endpoint
    }

    /// A key for several owners; each gets a copy of its own and wipes that.
    private final class Answer: Sendable {
        private let key: ReleasedKey
        /// The request whose exchange it was.
        let requestID: String

        init(_ key: consuming ReleasedKey, requestID: String) {
            self.key = key
            self.requestID = requestID
        }

        func copy() -> ReleasedKey { ReleasedKey(keyID: key.keyID, jwk: key.jwk.withUnsafeBytes { SecretBytes(copying: $0) }) }
    }

    private struct Member {
        let answer = FirstResult<Answer>()
        let context: RequestContext
    }

    /// One exchange and who waits for it.
    private struct Exchange {
        var members: [UInt64: Member]
        var task: Task<Void, Never>?
    }

    private typealias Work = @Sendable (RequestContext) async throws(BrokerError) -> ReleasedKey

    private struct State {
        var exchanges: [UInt64: Exchange] = [:]
        /// How many exchanges are under way for each wish.
        var running: [Wish: Int] = [:]
        /// Who waits for the next exchange.
        var next: [Wish: [UInt64: Member]] = [:]
        var counter: UInt64 = 0

        mutating func number() -> UInt64 {
            counter += 1
            return counter
        }
    }

    /// Exchanges for one wish at a time: one alone would make everybody wait for a slow one.
    static let limit = 4
    /// The same while callers are turned away: half of the exchanges for as many callers leaves that much more for those.
    static let crowdedLimit = 2

    private let state = Mutex(State())
    private let isCrowded: @Sendable () -> Bool

    /// `isCrowded` says whether callers are being turned away.
    init(isCrowded: @escaping @Sendable () -> Bool) { self.isCrowded = isCrowded }

    private var limitNow: Int { isCrowded() ? Self.crowdedLimit : Self.limit }

    /// How many wait for an exchange that has not begun.
    var waitingCount: Int { state.withLock { $0.next.values.reduce(0) { $0 + $1.count } } }

    /// How many exchanges are under way.
    var runningCount: Int { state.withLock { $0.exchanges.count } }

    /// Runs `work`, or waits for somebody else's that begins after this call. It runs in a task of its own, with the latest deadline of
    /// those who wait for it, and is cancelled when all of them have gone.
    func release(
        _ wish: Wish, in context: RequestContext, work: @escaping @Sendable (RequestContext) async throws(BrokerError) -> ReleasedKey
    ) async throws(BrokerError) -> ReleasedKey {
        let member = Member(context: context)
        let limit = limitNow
        let ticket = state.withLock { state in
            let ticket = state.number()
            if state.running[wish, default: 0] < limit {
                state.running[wish, default: 0] += 1
                begin([ticket: member], wish, work, in: &state)
            } else {
                state.next[wish, default: [:]][ticket] = member
            }
            return ticket
        }
        let answer = try await member.answer.result(
            by: context.deadline,
            late: BrokerError(.deadlineExceeded, at: .release, "the request's deadline passed while the key was released"),
            gone: BrokerError(.deadlineExceeded, at: .release, "the caller went away")
        ) { error in self.leave(ticket, wish, member, error) }
        if answer.requestID != context.id {
            context.logger.debug("key released together", metadata: ["with_request": "\(answer.requestID)"])
        }
        return answer.copy()
    }

    private func begin(_ members: [UInt64: Member], _ wish: Wish, _ work: @escaping Work, in state: inout State) {
        let number = state.number()
        let contexts = members.sorted { $0.key < $1.key }.map(\.value.context)
        guard let first = contexts.first, let last = contexts.max(by: { $0.deadline.instant < $1.deadline.instant }) else { return }
        let context = RequestContext(id: first.id, deadline: last.deadline, logger: first.logger)
        state.exchanges[number] = Exchange(members: members)
        state.exchanges[number]?.task = Task {
            let result: Result<Answer, BrokerError>
            do throws(BrokerError) { result = .success(Answer(try await work(context), requestID: context.id)) } catch {
                result = .failure(error)
            }
            self.end(number, wish, work, result)
        }
    }

    private func end(_ number: UInt64, _ wish: Wish, _ work: @escaping Work, _ result: Result<Answer, BrokerError>) {
        let limit = limitNow
        let members = state.withLock { state in
            let members = state.exchanges.removeValue(forKey: number)?.members ?? [:]
            // Where more are under way than may be now, those who wait are left to one of them.
            if state.running[wish, default: 0] <= limit, let next = state.next.removeValue(forKey: wish) {
                begin(next, wish, work, in: &state)
            } else if let running = state.running[wish], running > 1 {
                state.running[wish] = running - 1
            } else {
                state.running[wish] = nil
            }
            return members
        }
        for member in members.values { member.answer.finish(result) }
    }

    private func leave(_ ticket: UInt64, _ wish: Wish, _ member: Member, _ error: BrokerError) {
        let abandoned = state.withLock { state -> Task<Void, Never>? in
            if state.next[wish]?.removeValue(forKey: ticket) != nil {
                if state.next[wish]?.isEmpty == true { state.next[wish] = nil }
                return nil
            }
            guard let number = state.exchanges.first(where: { $0.value.members[ticket] != nil })?.key else { return nil }
            state.exchanges[number]?.members[ticket] = nil
            return state.exchanges[number]?.members.isEmpty == true ? state.exchanges[number]?.task : nil
        }
        abandoned?.cancel()
        member.answer.finish(.failure(error))
    }
}
