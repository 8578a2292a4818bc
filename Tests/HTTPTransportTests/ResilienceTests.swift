import HTTPTransport
import Synchronization
import Testing
import Waiting

@Suite("Services that fail") struct ResilienceTests {
    /// Answers in turn, the last one for ever; time passes only where somebody sleeps.
    final class World: HTTPTransport, UpstreamObserver {
        typealias Answer = Result<HTTPResponse, HTTPTransportError>

        private struct State {
            var answers: [Answer]
            var sent: [HTTPRequest] = []
            var elapsed = Duration.zero
            var sleeps: [Duration] = []
            var repeats = 0
            var heldBack: [UpstreamState.State] = []
            var attempts: [UpstreamAttempt] = []
        }

        private let start = ContinuousClock.now
        private let state: Mutex<State>

        init(_ answers: Answer...) { state = Mutex(State(answers: answers)) }

        func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
            let answer = state.withLock { state in
                state.sent.append(request)
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
            return try answer.get()
        }

        func attempted(_ attempt: UpstreamAttempt) { state.withLock { $0.attempts.append(attempt) } }
        func repeating(_ purpose: HTTPRequest.Purpose, after: UpstreamAttempt.Outcome) { state.withLock { $0.repeats += 1 } }
        func heldBack(_ purpose: HTTPRequest.Purpose, _ held: UpstreamState.State) { state.withLock { $0.heldBack.append(held) } }

        var sent: [HTTPRequest] { state.withLock { $0.sent } }
        var sleeps: [Duration] { state.withLock { $0.sleeps } }
        var repeats: Int { state.withLock { $0.repeats } }
        var heldBack: [UpstreamState.State] { state.withLock { $0.heldBack } }
        var attempts: [UpstreamAttempt] { state.withLock { $0.attempts } }
        var now: ContinuousClock.Instant { state.withLock { start.advanced(by: $0.elapsed) } }

        func pass(_ duration: Duration) { state.withLock { $0.elapsed += duration } }
        func answer(_ answers: Answer...) { state.withLock { $0.answers = answers } }

        var transport: ResilientTransport {
            var timing = ResilientTransport.Timing()
            timing.now = { self.now }
            timing.sleep = { duration in
                self.state.withLock { state in
                    state.sleeps.append(duration)
                    state.elapsed += duration
                }
            }
            timing.random = { 0.5 }
            return ResilientTransport(self, observers: [self], timing: timing)
        }

        func request(repeats: Bool = true, within deadline: Duration = .seconds(30), to host: String = "a.example.net") throws
            -> HTTPRequest
        {
            let end = Deadline(now.advanced(by: deadline))
            return HTTPRequest(
                .post, .service(try Endpoint(host)), path: "/", deadline: end, purpose: .keyStore, repeatsUntil: repeats ? end : nil)
        }
    }

    private static func status(_ status: Int, _ headers: [(name: String, value: String)] = []) -> World.Answer {
        .success(HTTPResponse(status: status, headers: headers))
    }

    @Test("a single failure that passes is not the caller's", arguments: [408, 429, 500, 502, 503, 504])
    func single(status: Int) async throws {
        let world = World(Self.status(status), Self.status(200))
        let response = try await world.transport.send(try world.request())
        #expect(response.status == 200 && world.sent.count == 2 && world.repeats == 1)
        #expect(world.sleeps.count >= 1 && world.sleeps.allSatisfy { $0 > .zero && $0 <= .seconds(2) })
    }

    @Test("so is a connection that cannot be made, breaks off or says nothing")
    func connections() async throws {
        for error: HTTPTransportError in [
            .connectionFailed(reason: "refused"), .invalidResponse(reason: "cut"), .nameNotResolved(host: "a"),
        ] {
            let world = World(.failure(error), Self.status(200))
            #expect(try await world.transport.send(try world.request()).status == 200)
        }
    }

    @Test("what would not help, or must not be done twice, is not sent again")
    func never() async throws {
        for status in [200, 301, 400, 401, 403, 404, 409, 501] {
            let world = World(Self.status(status))
            #expect(try await world.transport.send(try world.request()).status == status)
            #expect(world.sent.count == 1)
        }
        let untrusted = World(.failure(.tlsFailed(reason: "x")))
        await #expect(throws: HTTPTransportError.tlsFailed(reason: "x")) { try await untrusted.transport.send(try untrusted.request()) }
        #expect(untrusted.sent.count == 1)
        let once = World(Self.status(503))
        #expect(try await once.transport.send(try once.request(repeats: false)).status == 503)
        #expect(once.sent.count == 1)
    }

    @Test("four attempts are the most, and the last answer is the caller's")
    func bounded() async throws {
        let world = World(Self.status(500))
        #expect(try await world.transport.send(try world.request()).status == 500)
        #expect(world.sent.count == 4 && world.sleeps == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
    }

    @Test("a pause that would outlive the caller is not begun")
    func deadline() async throws {
        let world = World(Self.status(429, [("retry-after", "7")]))
        let transport = world.transport
        let answer = try await transport.send(try world.request(within: .seconds(5)))
        #expect(answer.status == 429 && answer.retryAfter == .seconds(7) && world.sent.count == 1 && world.sleeps.isEmpty)
    }

    @Test(
        "nobody asks a service that asked for fewer requests before its time is over, in each form of the hint",
        arguments: [
            ("retry-after", "4", Duration.seconds(4)), ("retry-after-ms", "1500", Duration.milliseconds(1500)),
            ("x-ms-retry-after-ms", "2500", Duration.milliseconds(2500)),
            ("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT", Duration.seconds(9)),
        ])
    func throttled(name: String, value: String, expected: Duration) async throws {
        let world = World(Self.status(429, [(name, value), ("date", "Thu, 01 Jan 2026 00:00:00 GMT")]), Self.status(200))
        let transport = world.transport
        let start = world.now
        #expect(try await transport.send(try world.request(repeats: false)).status == 429)
        // Somebody else, who has the time.
        #expect(try await transport.send(try world.request()).status == 200)
        #expect(start.duration(to: world.now) >= expected && start.duration(to: world.now) <= expected + .seconds(1))
        world.answer(Self.status(429, [(name, value), ("date", "Thu, 01 Jan 2026 00:00:00 GMT")]))
        _ = try await transport.send(try world.request(repeats: false))
        let sent = world.sent.count
        // And somebody who has not.
        await #expect(throws: HTTPTransportError.heldBack(isThrottled: true, retryAfter: expected)) {
            try await transport.send(try world.request(within: .seconds(1)))
        }
        #expect(world.sent.count == sent && world.heldBack == [.throttled])
        #expect(transport.upstreamStates.map(\.state) == [.throttled])
    }

    @Test("after five failures in a row nobody is asked, then one, and when that goes well everybody")
    func circuit() async throws {
        let world = World(Self.status(500))
        let transport = world.transport
        for _ in 0..<5 { _ = try await transport.send(try world.request(repeats: false)) }
        #expect(transport.upstreamStates.map(\.state) == [.open])
        let (a, b) = (try Endpoint("a.example.net"), try Endpoint("b.example.net"))
        #expect(transport.isFailing(a) && !transport.isFailing(b))
        await #expect(throws: HTTPTransportError.heldBack(isThrottled: false, retryAfter: .seconds(1))) {
            try await transport.send(try world.request())
        }
        #expect(world.sent.count == 5)
        // Another service is another matter.
        _ = try? await transport.send(try world.request(repeats: false, to: "b.example.net"))
        #expect(world.sent.count == 6)
        world.pass(.seconds(2))
        #expect(transport.upstreamState(of: .service(a))?.state == .probing)
        world.answer(Self.status(404))
        #expect(try await transport.send(try world.request()).status == 404)
        #expect(transport.upstreamState(of: .service(a)) == nil)
    }

    @Test("a probe that fails closes the way for longer")
    func longer() async throws {
        let world = World(.failure(.connectionFailed(reason: "refused")))
        let transport = world.transport
        for _ in 0..<5 { _ = try? await transport.send(try world.request(repeats: false)) }
        for pause in [1, 2, 4, 5, 5, 5] {
            #expect(transport.upstreamStates.first?.retryAfter == .seconds(pause))
            world.pass(.seconds(pause))
            _ = try? await transport.send(try world.request(repeats: false))
        }
        #expect(transport.upstreamStates.first?.reason == "the connection failed: refused")
    }

    @Test("repetitions are a share of the requests, not a multiple")
    func budget() async throws {
        let world = World(Self.status(500), Self.status(404))
        let transport = world.transport
        for _ in 0..<100 {
            world.answer(Self.status(200))
            _ = try await transport.send(try world.request())
            world.answer(Self.status(500), Self.status(404))
            _ = try await transport.send(try world.request())
        }
        #expect(world.sent.count == 200 + world.repeats)
        #expect((40...52).contains(world.repeats), "\(world.repeats)")
    }

    @Test("the attempts are told of, with the trace that the service was told of")
    func trace() async throws {
        let world = World(Self.status(503), Self.status(200))
        let parent = TraceContext(isSampled: true)
        _ = try await parent.during { try await world.transport.send(try world.request()) }
        #expect(world.attempts.map(\.outcome) == [.status(503), .status(200)])
        let told = world.sent.map { request in request.headers.first { $0.name == "traceparent" }?.value }
        #expect(told == world.attempts.map { $0.trace?.traceparent } && Set(told).count == 2)
        #expect(world.attempts.allSatisfy { $0.trace?.traceID == parent.traceID && $0.parent == parent })
        let silent = World(Self.status(200))
        _ = try await silent.transport.send(try silent.request())
        #expect(silent.sent[0].headers.isEmpty)
    }
}

/// Requests that stay under way until they are let go.
@Suite("The line in front of a service") struct UpstreamLineTests {
    private final class Held: HTTPTransport {
        private struct State {
            var under: [Waiter<Int>] = []
            var most = 0
            var total = 0
        }

        private let state = Mutex(State())

        func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
            let waiter = Waiter<Int>()
            state.withLock { state in
                state.under.append(waiter)
                state.most = max(state.most, state.under.count)
                state.total += 1
            }
            guard let status = await waiter.value(onCancel: { true }) else { throw .cancelled }
            return HTTPResponse(status: status)
        }

        func release(_ status: Int) {
            let waiter = state.withLock { $0.under.isEmpty ? nil : $0.under.removeFirst() }
            waiter?.resume(status)
        }

        var counts: (most: Int, total: Int, now: Int) { state.withLock { ($0.most, $0.total, $0.under.count) } }
    }

    private static func request(_ deadline: Duration = .seconds(60)) throws -> HTTPRequest {
        HTTPRequest(.get, .service(try Endpoint("a.example.net")), path: "/", deadline: .after(deadline))
    }

    @Test("four at a time go to a service that nothing is known of, and all are served")
    func narrow() async throws {
        let held = Held()
        let transport = ResilientTransport(held)
        let served = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<40 { group.addTask { try? await transport.send(try Self.request()).status } }
            while held.counts.total < 40 || held.counts.now > 0 {
                if held.counts.now > 0 { held.release(200) } else { await Task.yield() }
            }
            return await group.reduce(into: 0) { $0 += $1 == 200 ? 1 : 0 }
        }
        #expect(served == 40 && held.counts.most <= 4)
    }

    @Test("who waits in line leaves with its deadline, or when it is cancelled, and its place is nobody's loss")
    func leaving() async throws {
        let held = Held()
        let transport = ResilientTransport(held)
        let first = (0..<4).map { _ in Task { try? await transport.send(try Self.request()).status } }
        while held.counts.now < 4 { await Task.yield() }
        await #expect(throws: HTTPTransportError.deadlineExceeded) { try await transport.send(try Self.request(.milliseconds(20))) }
        let cancelled = Task { () async throws -> Int in try await transport.send(try Self.request()).status }
        cancelled.cancel()
        await #expect(throws: HTTPTransportError.cancelled) { try await cancelled.value }
        for _ in 0..<4 { held.release(200) }
        for task in first { #expect(await task.value == 200) }
        let last = Task { try? await transport.send(try Self.request()).status }
        while held.counts.now < 1 { await Task.yield() }
        held.release(204)
        #expect(await last.value == 204)
    }

    @Test("who waits when the service begins to refuse is told so, and not left waiting")
    func refused() async throws {
        let held = Held()
        let transport = ResilientTransport(held)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    do { return try await transport.send(try Self.request()).status == 500 } catch {
                        guard case .heldBack(false, _)? = error as? HTTPTransportError else { return false }
                        return true
                    }
                }
            }
            let releaser = Task {
                while !Task.isCancelled {
                    held.release(500)
                    await Task.yield()
                }
            }
            #expect(await group.reduce(true) { $0 && $1 })
            releaser.cancel()
        }
        #expect(held.counts.total < 12)
    }
}

@Suite("traceparent") struct TraceContextTests {
    @Test("the forms of the specification are read, and whatever is none counts as absent")
    func parsing() throws {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let context = try #require(TraceContext(traceparent: text))
        #expect(context.traceparent == text && context.isSampled)
        #expect(TraceContext(traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more")?.isSampled == false)
        for wrong in [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ] { #expect(TraceContext(traceparent: wrong) == nil, "\(wrong)") }
        let child = context.child()
        #expect(child.traceID == context.traceID && child.spanID != context.spanID && TraceContext.current == nil)
    }
}
