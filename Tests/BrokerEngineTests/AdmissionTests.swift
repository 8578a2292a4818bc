import Waiting
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Synchronization
import Testing

@testable import BrokerEngine

@Suite("Admission of releases", .timeLimit(.minutes(5))) struct AdmissionTests {
    private func release(_ engine: BrokerEngine) async throws {
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        _ = try await engine.release(request, in: engine.makeContext(id: "test"))
    }

    @Test("so many run, so many wait, and the rest are told at once to come back") func bounds() async throws {
        var subject = try EngineUnderTest()
        subject.releaseLimit = 2
        subject.releaseQueue = 3
        let gate = Gate()
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            await gate.wait()
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        let running = (0..<4).map { _ in Task { try await release(engine) } }
        try await eventually { engine.admission.load == (2, 2) && gate.waiting == 2 }
        let admitted = running + [Task { try await release(engine) }]
        try await eventually { engine.admission.load == (2, 3) }
        for _ in 0..<4 {
            let error = await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)
            #expect(error?.outcome == "overloaded at route")
            #expect(error?.retryAfter == .seconds(1))
            #expect(error?.isRetryable == true)
        }
        #expect(subject.calls.count.evidence == 2)
        gate.open()
        for task in admitted { try await task.value }
        #expect(engine.admission.load == (0, 0))
        try await release(engine)
        #expect(subject.calls.count.store == 6)
    }

    private final class Order: Sendable {
        private let state = Mutex<[Int]>([])
        var numbers: [Int] { state.withLock { $0 } }
        func append(_ number: Int) { state.withLock { $0.append(number) } }
    }

    @Test("whoever came first goes first, also through a long queue") func order() async throws {
        let admission = Admission(running: 1, waiting: 1000, memory: .seconds(1))
        let gate = Gate()
        let order = Order()
        let first = Task { try await admission.admitted { () async throws(BrokerError) in await gate.wait() } }
        try await eventually { gate.waiting == 1 }
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<600 {
            waiting.append(Task { try await admission.admitted { () async throws(BrokerError) in order.append(number) } })
            try await eventually { admission.load.waiting == number + 1 }
        }
        gate.open()
        try await first.value
        for task in waiting { try await task.value }
        #expect(order.numbers == Array(0..<600))
        #expect(admission.load == (0, 0))
    }

    @Test("whoever goes away, or whose deadline passes, leaves the queue and takes nobody's turn") func leaving() async throws {
        var subject = try EngineUnderTest()
        subject.releaseLimit = 1
        subject.releaseQueue = 10
        let gate = Gate()
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            await gate.wait()
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        let first = Task { try await release(engine) }
        try await eventually { gate.waiting == 1 }
        let gone = Task { await failure(of: request, by: engine) }
        try await eventually { engine.admission.load.waiting == 1 }
        let late = RequestContext(id: "late", deadline: .after(.seconds(1)), logger: subject.log.logger())
        let expired = Task { () async -> BrokerError? in
            do throws(BrokerError) {
                _ = try await engine.release(request, in: late)
                return nil
            } catch { return error }
        }
        try await eventually { engine.admission.load.waiting == 2 || late.deadline.hasPassed }
        let error = await expired.value
        // On a busy machine the deadline may have passed before the request came to the queue.
        #expect(error?.outcome == "overloaded at route" || error?.outcome == "deadlineExceeded at release")
        #expect(error?.isRetryable == true)
        gone.cancel()
        #expect(await gone.value?.outcome == "deadlineExceeded at route")
        #expect(engine.admission.load == (1, 0))
        gate.open()
        try await first.value
        #expect(engine.admission.load == (0, 0))
    }

    @Test("a place is free at the deadline, also while a provider that was left behind says nothing") func abandoned() async throws {
        var subject = try EngineUnderTest()
        subject.releaseLimit = 1
        let gate = Gate()
        defer { gate.open() }
        subject.wrapped = { _, _ throws(BrokerError) in
            await gate.wait()
            throw BrokerError(.keyNotFound, at: .release, "too late")
        }
        let engine = try subject.engine()
        for hung in 1...3 {
            let call = Task { try await release(engine) }
            try await eventually { gate.waiting == hung }
            call.cancel()
            _ = await call.result
            #expect(engine.admission.load == (0, 0))
        }
    }
}
