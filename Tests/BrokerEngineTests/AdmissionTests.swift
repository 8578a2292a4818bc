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

    private static let context = RequestContext(id: "test", deadline: .after(.seconds(600)), logger: RecordedLog().logger())

    @Test("whoever came first goes first, also through a long queue") func order() async throws {
        let admission = Admission(running: 1, waiting: 1000, memory: .seconds(1))
        let gate = Gate()
        let order = Order()
        let first = Task { try await admission.admitted(in: Self.context) { () async throws(BrokerError) in await gate.wait() } }
        try await eventually { gate.waiting == 1 }
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<600 {
            waiting.append(Task { try await admission.admitted(in: Self.context) { () async throws(BrokerError) in order.append(number) } })
            try await eventually { admission.load.waiting == number + 1 }
        }
        gate.open()
        try await first.value
        for task in waiting { try await task.value }
        #expect(order.numbers == Array(0..<600))
        #expect(admission.load == (0, 0))
    }

    @Test("whoever goes away, or whose deadline passes, leaves the queue and takes nobody's turn") func leaving() async throws {
        let admission = Admission(running: 1, waiting: 10, memory: .seconds(1))
        let gate = Gate()
        let first = Task { try await admission.admitted(in: Self.context) { () async throws(BrokerError) in await gate.wait() } }
        try await eventually { gate.waiting == 1 }
        let gone = Task { try await admission.admitted(in: Self.context) { () async throws(BrokerError) in } }
        try await eventually { admission.load.waiting == 1 }
        let late = RequestContext(id: "late", deadline: .after(.milliseconds(20)), logger: RecordedLog().logger())
        let expired = await Task { try await admission.admitted(in: late) { () async throws(BrokerError) in } }.result
        #expect(throws: BrokerError.self) { try expired.get() }
        if case .failure(let error as BrokerError) = expired { #expect(error.outcome == "overloaded at route") }
        gone.cancel()
        let left = await gone.result
        #expect(throws: BrokerError.self) { try left.get() }
        #expect(admission.load == (1, 0))
        gate.open()
        try await first.value
        #expect(admission.load == (0, 0))
    }
}
