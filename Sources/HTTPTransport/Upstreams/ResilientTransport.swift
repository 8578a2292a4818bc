internal import Synchronization
internal import Waiting

/// Sends requests as a service can take them: again where a failure passes, not at all while it asked for fewer or is down, and not too
/// many at a time (Resilience.md, "What is sent again").
///
/// One for the whole program, so that what one request learns about a service serves all.
package final class ResilientTransport: HTTPTransport, UpstreamReporting {
    /// The parts that a test replaces.
    package struct Timing: Sendable {
        package var now: @Sendable () -> ContinuousClock.Instant = { .now }
        package var sleep: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0, tolerance: .zero) }
        /// A number from 0 to 1.
        package var random: @Sendable () -> Double = { Double.random(in: 0...1) }

        package init() {}
    }

    private struct Known: Sendable {
        var circuit = UpstreamCircuit()
        var purpose: HTTPRequest.Purpose
    }

    /// Attempts for one request, the first among them.
    static let maximumAttempts = 4
    private static let firstPause = Duration.milliseconds(200)
    /// A request that may name any host must not fill the memory.
    private static let capacity = 256

    private let transport: any HTTPTransport
    private let observers: [any UpstreamObserver]
    private let timing: Timing
    private let known = Mutex<[HTTPRequest.Target: Known]>([:])

    package init(_ transport: any HTTPTransport, observers: [any UpstreamObserver] = [], timing: Timing = Timing()) {
        self.transport = transport
        self.observers = observers
        self.timing = timing
    }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        let patience = timing.now().duration(to: request.deadline.instant)
        let end = max(request.repeatsUntil?.instant ?? request.deadline.instant, request.deadline.instant)
        var attempt = request
        var count = 0
        change(request) { $0.deposit() }
        while true {
            try await enter(request, until: end)
            count += 1
            let outcome = await carryOut(attempt)
            let verdict = Self.verdict(on: outcome)
            let next = change(request) { $0.leave(verdict, at: timing.now()) }
            for (waiter, hasPlace) in next { waiter.resume(hasPlace) }
            guard request.repeatsUntil != nil, count < Self.maximumAttempts, !Task.isCancelled,
                let pause = pause(after: verdict, outcome, attempt: count, request), timing.now().advanced(by: pause) < end
            else { return try finished(outcome, verdict, request) }
            for observer in observers { observer.repeating(request.purpose, after: Self.outcome(outcome)) }
            await timing.sleep(pause)
            attempt.deadline = Deadline(min(end, timing.now().advanced(by: patience)))
        }
    }

    package var upstreamStates: [UpstreamState] {
        let now = timing.now()
        return known.withLock { known in known.compactMap { Self.state(of: $0, $1, at: now) } }.sorted { $0.name < $1.name }
    }

    package func upstreamState(of target: HTTPRequest.Target) -> UpstreamState? {
        let now = timing.now()
        return known.withLock { known in known[target].flatMap { Self.state(of: target, $0, at: now) } }
    }

    private static func state(of target: HTTPRequest.Target, _ known: Known, at now: ContinuousClock.Instant) -> UpstreamState? {
        known.circuit.state(at: now).map {
            UpstreamState(
                target: target, purpose: known.purpose, state: $0.state, reason: known.circuit.lastFailure?.reason,
                retryAfter: $0.retryAfter)
        }
    }

    // MARK: One attempt

    private func carryOut(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPTransportError> {
        var request = request
        let parent = TraceContext.current
        let trace = parent?.child()
        if let trace { request.headers.append(("traceparent", trace.traceparent)) }
        let start = timing.now()
        let result: Result<HTTPResponse, HTTPTransportError>
        do { result = .success(try await transport.send(request)) } catch { result = .failure(error) }
        let attempt = UpstreamAttempt(
            purpose: request.purpose, method: request.method, target: request.target, outcome: Self.outcome(result),
            duration: start.duration(to: timing.now()), trace: trace, parent: parent)
        for observer in observers { observer.attempted(attempt) }
        return result
    }

    private static func outcome(_ result: Result<HTTPResponse, HTTPTransportError>) -> UpstreamAttempt.Outcome {
        switch result {
        case .success(let response): .status(response.status)
        case .failure(let error): .error(error)
        }
    }

    /// What an attempt says about the service.
    private static func verdict(on outcome: Result<HTTPResponse, HTTPTransportError>) -> UpstreamCircuit.Verdict {
        switch outcome {
        case .success(let response):
            switch response.status {
            case 429: .throttled(response.retryAfter)
            case 503: response.retryAfter.map { .throttled($0) } ?? .failed
            case 408, 500, 502, 504: .failed
            default: .healthy
            }
        case .failure(let error):
            switch error {
            case .connectionFailed, .nameNotResolved, .tlsFailed, .deadlineExceeded, .invalidResponse: .failed
            case .responseTooLarge: .healthy
            case .invalidRequest, .cancelled, .stopped, .heldBack: .neutral
            }
        }
    }

    /// How long to wait before the request is sent again; `nil` where that would not help, or has been done too often.
    private func pause(
        after verdict: UpstreamCircuit.Verdict, _ outcome: Result<HTTPResponse, HTTPTransportError>, attempt: Int, _ request: HTTPRequest
    ) -> Duration? {
        // A certificate that is not believed will not be believed in a second.
        if case .failure(.tlsFailed) = outcome { return nil }
        let backoff = Self.firstPause * (1 << (attempt - 1))
        let jitter = backoff * timing.random()
        switch verdict {
        case .healthy, .neutral: return nil
        // The circuit lets one ask first, however many come back; so this needs no budget.
        case .throttled(let hint?): return hint + jitter
        case .throttled(nil), .failed: return change(request, { $0.withdraw() }) ? backoff / 2 + jitter : nil
        }
    }

    private func finished(_ outcome: Result<HTTPResponse, HTTPTransportError>, _ verdict: UpstreamCircuit.Verdict, _ request: HTTPRequest)
        throws(HTTPTransportError) -> HTTPResponse
    {
        if verdict == .failed {
            let reason: String
            switch outcome {
            case .success(let response): reason = "it answered \(response.status)"
            case .failure(let error): reason = error.description
            }
            change(request) { $0.gaveUp(reason, at: timing.now()) }
        }
        return try outcome.get()
    }

    // MARK: The line in front of a service

    private func enter(_ request: HTTPRequest, until end: ContinuousClock.Instant) async throws(HTTPTransportError) {
        while true {
            if Task.isCancelled { throw .cancelled }
            let now = timing.now()
            guard now < end else { throw .deadlineExceeded }
            let (admittance, waiter) = change(request) { circuit -> (UpstreamCircuit.Admittance, Waiter<Bool>?) in
                let admittance = circuit.enter(at: now)
                return (admittance, admittance == .queue ? circuit.waiting.add() : nil)
            }
            switch admittance {
            case .enter: return
            case .refuse(let until): throw heldBack(request, .open, until, now)
            case .wait(let until):
                // Not all at the same moment, and not where the caller would not live to see it.
                let pause = now.duration(to: until) + Self.firstPause * timing.random()
                guard now.advanced(by: pause) < end else { throw heldBack(request, .throttled, until, now) }
                await timing.sleep(pause)
            case .queue:
                guard let waiter else { continue }
                if await wait(waiter, request, until: end) { return }
            }
        }
    }

    /// Whether a place was given.
    private func wait(_ waiter: Waiter<Bool>, _ request: HTTPRequest, until end: ContinuousClock.Instant) async -> Bool {
        let timer = DeadlineTimer(at: end) { [weak self] in
            if self?.change(request, { $0.waiting.remove(waiter) }) == true { waiter.resume(false) }
        }
        defer { timer.cancel() }
        return await waiter.value(onCancel: { change(request) { $0.waiting.remove(waiter) } }) ?? false
    }

    private func heldBack(
        _ request: HTTPRequest, _ state: UpstreamState.State, _ until: ContinuousClock.Instant, _ now: ContinuousClock.Instant
    ) -> HTTPTransportError {
        for observer in observers { observer.heldBack(request.purpose, state) }
        return .heldBack(isThrottled: state == .throttled, retryAfter: now.duration(to: until))
    }

    @discardableResult private func change<Value: Sendable>(_ request: HTTPRequest, _ body: (inout UpstreamCircuit) -> Value) -> Value {
        known.withLock { known in
            if known[request.target] == nil, known.count >= Self.capacity { known = known.filter { !$0.value.circuit.isIdle } }
            var entry = known[request.target] ?? Known(purpose: request.purpose)
            defer { known[request.target] = entry }
            // What a service is mostly for, not what readiness asked it.
            if request.purpose != .other { entry.purpose = request.purpose }
            return body(&entry.circuit)
        }
    }
}
