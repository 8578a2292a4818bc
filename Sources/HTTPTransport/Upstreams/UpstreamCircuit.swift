internal import Waiting

/// What the broker knows about one service: whether it may be asked now, by how many at a time, and how often once more.
///
/// A value without a clock of its own; `Upstreams` keeps one for each service inside its lock (Resilience.md, "One circuit a service").
struct UpstreamCircuit: Sendable {
    /// How an attempt ended, as far as the service's health goes.
    enum Verdict: Sendable, Equatable {
        case healthy
        /// It asks for fewer requests.
        case throttled(Duration?)
        case failed
        /// Says nothing about the service: the caller went away.
        case neutral
    }

    enum Admittance: Equatable {
        /// A place was taken; `leave` gives it back.
        case enter
        /// In line for a place.
        case queue
        /// Not before that moment.
        case wait(until: ContinuousClock.Instant)
        /// Nobody is asked until then.
        case refuse(until: ContinuousClock.Instant)
    }

    private enum Block {
        case none
        case throttled(until: ContinuousClock.Instant)
        case open(until: ContinuousClock.Instant)
    }

    /// Failures in a row after which nobody is asked for a while.
    static let threshold = 5
    private static let shortestPause = Duration.seconds(1)
    /// Short enough that all is well within ten seconds after several services are back, one of which is asked after the other.
    private static let longestPause = Duration.seconds(5)
    /// Requests at a time to a service of which nothing is known yet, and at most.
    private static let narrow = 4
    /// The same once it has asked for fewer: each that is refused counts for the service too.
    private static let careful = 1
    private static let wide = 32
    /// So many answers in a row widen the line by one.
    private static let widening = 64
    /// A service that refuses all of ten requests costs no more than ten others.
    private static let fullBudget = 10.0
    /// What each first attempt adds to the budget.
    private static let deposit = 0.2

    private var block = Block.none
    private var isProbing = false
    private var failuresInRow = 0
    private var throttlesInRow = 0
    private var healthyInRow = 0
    private var running = 0
    private var least = narrow
    private var budget = fullBudget
    /// Since when, and why, callers were told that it failed.
    private(set) var lastFailure: (at: ContinuousClock.Instant, reason: String)?
    var waiting = WaitList<Bool>()

    private var limit: Int { min(least + healthyInRow / Self.widening, Self.wide) }

    /// Whether nothing is worth keeping.
    var isIdle: Bool {
        guard case .none = block else { return false }
        return running == 0 && waiting.isEmpty && failuresInRow == 0 && lastFailure == nil
    }

    mutating func enter(at now: ContinuousClock.Instant) -> Admittance {
        switch block {
        case .throttled(let until) where until > now: return .wait(until: until)
        case .open(let until) where until > now: return .refuse(until: until)
        case .throttled, .open:
            // One finds out for all.
            guard !isProbing else { return .queue }
            isProbing = true
            running += 1
            return .enter
        case .none:
            guard running < limit else { return .queue }
            running += 1
            return .enter
        }
    }

    /// Gives a place back; returns those who must be resumed, with whether they have a place.
    mutating func leave(_ verdict: Verdict, at now: ContinuousClock.Instant) -> [(waiter: Waiter<Bool>, hasPlace: Bool)] {
        running -= 1
        judge(verdict, at: now)
        guard case .none = block else {
            // With the probe still out, they go on waiting for it.
            return isProbing ? [] : waiting.takeAll().map { ($0, false) }
        }
        var next: [(waiter: Waiter<Bool>, hasPlace: Bool)] = []
        while running < limit, let waiter = waiting.takeFirst() {
            running += 1
            next.append((waiter, true))
        }
        return next
    }

    private mutating func judge(_ verdict: Verdict, at now: ContinuousClock.Instant) {
        switch verdict {
        case .healthy:
            failuresInRow = 0
            throttlesInRow = 0
            healthyInRow += 1
            lastFailure = nil
            // An answer from before does not end a pause that was asked for since.
            guard isProbing || !isBlocked(at: now) else { return }
            (block, isProbing) = (.none, false)
        case .throttled(let pause):
            failuresInRow = 0
            healthyInRow = 0
            least = Self.careful
            throttlesInRow += 1
            let until = now.advanced(by: pause ?? Self.pause(throttlesInRow))
            if case .throttled(let known) = block, known > until { return }
            (block, isProbing) = (.throttled(until: until), false)
        case .failed:
            healthyInRow = 0
            failuresInRow += 1
            guard failuresInRow >= Self.threshold else {
                isProbing = false
                return
            }
            (block, isProbing) = (.open(until: now.advanced(by: Self.pause(failuresInRow - Self.threshold + 1))), false)
        case .neutral: isProbing = false
        }
    }

    private func isBlocked(at now: ContinuousClock.Instant) -> Bool {
        switch block {
        case .none: false
        case .throttled(let until), .open(let until): until > now
        }
    }

    private static func pause(_ count: Int) -> Duration { min(shortestPause * (1 << min(max(count, 1) - 1, 5)), longestPause) }

    /// Counts a request that is sent for the first time.
    mutating func deposit() { budget = min(budget + Self.deposit, Self.fullBudget) }

    /// Takes one repetition out of the budget; whether there was one.
    mutating func withdraw() -> Bool {
        guard budget >= 1 else { return false }
        budget -= 1
        return true
    }

    /// A caller was told that it failed.
    mutating func gaveUp(_ reason: String, at now: ContinuousClock.Instant) { lastFailure = (now, reason) }

    /// What is to be seen of it; `nil` where there is nothing to say.
    func state(at now: ContinuousClock.Instant) -> (state: UpstreamState.State, retryAfter: Duration?)? {
        switch block {
        case .throttled(let until): (until > now ? .throttled : .probing, Deadline(until).remaining(at: now))
        case .open(let until): (until > now ? .open : .probing, Deadline(until).remaining(at: now))
        case .none: lastFailure == nil ? nil : (.failing, nil)
        }
    }
}

extension Deadline {
    fileprivate func remaining(at now: ContinuousClock.Instant) -> Duration? { instant > now ? now.duration(to: instant) : nil }
}
