import Waiting
import BrokerCore
import BrokerTestKit
import HTTPTransport
import SecureMemory
import Synchronization
import Testing

@testable import BrokerEngine

@Suite("Releases of the same key at the same time", .timeLimit(.minutes(5))) struct SharedReleaseTests {
    private struct Subject {
        var engine: EngineUnderTest
        /// Where every exchange with the key store waits.
        let gate = Gate()
        /// Opened when an exchange is cancelled.
        let cancelled = Gate()

        init(sessions: Bool = true) throws {
            engine = try EngineUnderTest()
            if sessions { engine.session = ReleaseSessionOptions(maxAge: .seconds(600), maxUses: 1000) }
            engine.token = { runtime, authority throws(BrokerError) in
                try Honest.token(runtime, authority, lifetime: 3600)
            }
            let (gate, cancelled, honest) = (gate, cancelled, engine.wrapped)
            engine.wrapped = { reference, token throws(BrokerError) in
                await withTaskCancellationHandler {
                    await gate.wait()
                } onCancel: {
                    cancelled.open()
                }
                return try await honest(reference, token)
            }
        }
    }

    private static let limit = SharedReleases.limit

    private func request(_ name: String = "k", store: String? = nil, bearer: String? = nil) throws -> ReleaseRequest {
        ReleaseRequest(
            key: try #require(KeyName(name)), store: try store.map { try Endpoint($0) },
            caller: bearer.map { .bearer(Redacted($0)) } ?? .broker)
    }

    private func start(_ count: Int, _ request: ReleaseRequest, _ engine: BrokerEngine) -> [Task<String, any Error>] {
        (0..<count).map { number in Task { try await engine.release(request, in: engine.makeContext(id: "\(number)")).text() } }
    }

    /// As many, each when the one before is asking the store, so that none can join another.
    private func startApart(_ count: Int, _ request: ReleaseRequest, _ engine: BrokerEngine, at gate: Gate) async throws
        -> [Task<String, any Error>]
    {
        var tasks: [Task<String, any Error>] = []
        for number in 1...count {
            tasks += start(1, request, engine)
            try await eventually { gate.waiting == number }
        }
        return tasks
    }

    private func expect(_ outcome: String, of tasks: [Task<String, any Error>]) async {
        for task in tasks {
            let result = await task.result
            let error = #expect(throws: BrokerError.self) { try result.get() }
            #expect(error?.outcome == outcome)
        }
    }

    @Test("whoever comes while the store is asked shares one exchange that begins afterwards") func shared() async throws {
        let subject = try Subject()
        let engine = try subject.engine.engine()
        let first = try await startApart(Self.limit, try request(), engine, at: subject.gate)
        let others = start(20, try request(), engine)
        try await eventually { engine.shared.waitingCount == 20 }
        #expect(subject.engine.calls.count.store == Self.limit)
        subject.gate.open()
        var keys: [String] = []
        for task in first + others { keys.append(try await task.value) }
        #expect(keys.count == Self.limit + 20 && Set(keys).count == 1)
        #expect(keys.first?.contains(#""kty":"oct""#) == true)
        #expect(subject.engine.calls.count == .init(evidence: 1, verifier: 1, store: Self.limit + 1))
        #expect(engine.shared.waitingCount == 0)
        // Where fewer than that many ask at the same time, each asks alone.
        for _ in 0..<2 { for task in start(1, try request(), engine) { _ = try await task.value } }
        #expect(subject.engine.calls.count.store == Self.limit + 3)
    }

    @Test("while callers are turned away, fewer exchanges are under way and the next callers share them") func crowded() async throws {
        var subject = try Subject()
        subject.engine.releaseLimit = SharedReleases.crowdedLimit + 1
        subject.engine.releaseQueue = 0
        subject.engine.refusalMemory = .seconds(3600)
        let engine = try subject.engine.engine()
        var tasks = try await startApart(SharedReleases.crowdedLimit, try request(), engine, at: subject.gate)
        let other = start(1, try request("other"), engine)
        try await eventually { subject.gate.waiting == SharedReleases.crowdedLimit + 1 }
        await expect("overloaded at route", of: start(1, try request(), engine))
        // One goes, and the next has its place: now it waits for an exchange instead of having its own.
        for task in other { task.cancel() }
        await expect("deadlineExceeded at release", of: other)
        try await eventually { engine.admission.load.running == SharedReleases.crowdedLimit }
        tasks += start(1, try request(), engine)
        try await eventually { engine.shared.waitingCount == 1 }
        subject.gate.open()
        for task in tasks { _ = try await task.value }
        #expect(engine.shared.waitingCount == 0)
    }

    private final class Crowd: Sendable {
        let isThere = Atomic(false)
        /// Exchanges begun so far.
        let begun = Atomic(0)
    }

    @Test("exchanges that are under way when it becomes crowded end, and those who wait are left to the last ones") func becomingCrowded()
        async throws
    {
        let crowd = Crowd()
        let shared = SharedReleases { crowd.isThere.load(ordering: .relaxed) }
        let gates = (0...Self.limit).map { _ in Gate() }
        let endpoint = try Endpoint("one.vault.example")
        let wish = SharedReleases.Wish(key: KeyReference(store: endpoint, name: try #require(KeyName("k"))), authority: endpoint)
        let start: @Sendable () -> Task<Void, any Error> = {
            Task {
                let context = RequestContext(id: "", deadline: .after(.seconds(600)), logger: RecordedLog().logger())
                _ = try await shared.release(wish, in: context) { _, asking throws(BrokerError) in
                    asking()
                    await gates[crowd.begun.add(1, ordering: .relaxed).oldValue].wait()
                    return ReleasedKey(keyID: "k", jwk: SecretBytes(capacity: 1) { _ in 0 })
                }
            }
        }
        var tasks: [Task<Void, any Error>] = []
        for gate in gates[..<Self.limit] {
            tasks.append(start())
            try await eventually { gate.waiting == 1 }
        }
        tasks.append(start())
        try await eventually { shared.waitingCount == 1 }
        crowd.isThere.store(true, ordering: .relaxed)
        for ended in 1...(Self.limit - SharedReleases.crowdedLimit) {
            gates[ended - 1].open()
            try await eventually { shared.runningCount == Self.limit - ended }
            #expect(shared.waitingCount == 1)
        }
        // No more than may be now: the next one that ends makes room.
        gates[Self.limit - SharedReleases.crowdedLimit].open()
        try await eventually { gates[Self.limit].waiting == 1 }
        #expect(shared.waitingCount == 0 && shared.runningCount == SharedReleases.crowdedLimit)
        for gate in gates { gate.open() }
        for task in tasks { try await task.value }
        #expect(shared.runningCount == 0)
    }

    @Test("a wave of callers for one key, who come before the store is asked, costs one request and one attestation") func wave()
        async throws
    {
        var subject = try Subject()
        let attesting = Gate()
        let token = subject.engine.token
        subject.engine.token = { runtime, authority throws(BrokerError) in
            await attesting.wait()
            return try await token(runtime, authority)
        }
        subject.gate.open()
        let engine = try subject.engine.engine()
        let tasks = start(50, try request(), engine)
        try await eventually { attesting.waiting == 1 && engine.admission.load.running == 1 }
        // All of them have joined: whoever is admitted does so next.
        try await eventually { engine.shared.callerCount == 50 }
        attesting.open()
        for task in tasks { _ = try await task.value }
        #expect(subject.engine.calls.count == .init(evidence: 1, verifier: 1, store: 1))
        #expect(engine.shared.runningCount == 0)
    }

    @Test("a store with trouble is asked by one exchange for a key at a time") func troubled() async throws {
        let subject = try Subject()
        let engine = try subject.engine.engine(upstreams: TroubledUpstreams(host: "one.vault.example"))
        let tasks = try await startApart(1, try request(), engine, at: subject.gate) + start(7, try request(), engine)
        try await eventually { engine.shared.waitingCount == 7 }
        #expect(engine.shared.runningCount == 1)
        subject.gate.open()
        for task in tasks { _ = try await task.value }
        #expect(subject.engine.calls.count.store == 2)
    }

    @Test("another key, version, store, authority or identity, or a broker without sessions, shares nothing") func separate() async throws {
        let subject = try Subject()
        let engine = try subject.engine.engine()
        var tasks = try await startApart(Self.limit, try request(), engine, at: subject.gate)
        var elsewhere = try request()
        elsewhere.authority = try Endpoint("two.attest.example")
        let others = [
            elsewhere, try request("other"), try request("k/0123456789abcdef0123456789abcdef"), try request(store: "two.vault.example"),
            try request(bearer: "mine"), try request(bearer: "mine"),
        ]
        for (index, other) in others.enumerated() {
            tasks += start(1, other, engine)
            try await eventually { subject.gate.waiting == Self.limit + index + 1 }
        }
        #expect(engine.shared.waitingCount == 0)
        subject.gate.open()
        for task in tasks { _ = await task.result }

        let without = try Subject(sessions: false)
        let alone = try without.engine.engine()
        let all = start(2 * Self.limit, try request(), alone)
        try await eventually { without.gate.waiting == 2 * Self.limit }
        without.gate.open()
        for task in all { _ = try await task.value }
        #expect(without.engine.calls.count.store == 2 * Self.limit)
    }

    @Test("a refusal is told to all who shared it, and the next ask anew") func refused() async throws {
        var subject = try Subject()
        let gate = subject.gate
        subject.engine.wrapped = { _, _ throws(BrokerError) in
            await gate.wait()
            throw BrokerError(.keyNotFound, at: .release, "no such key")
        }
        let engine = try subject.engine.engine()
        let tasks = try await startApart(Self.limit, try request(), engine, at: gate)
        let others = start(5, try request(), engine)
        try await eventually { engine.shared.waitingCount == 5 }
        gate.open()
        await expect("keyNotFound at release", of: tasks + others)
        #expect(subject.engine.calls.count.store == Self.limit + 1)
        #expect(await failure(of: try request(), by: engine)?.outcome == "keyNotFound at release")
        #expect(subject.engine.calls.count.store == Self.limit + 2)
    }

    @Test("who goes away takes the key from nobody; an exchange that nobody waits for is given up") func leaving() async throws {
        let subject = try Subject()
        let engine = try subject.engine.engine()
        let first = try await startApart(Self.limit, try request(), engine, at: subject.gate)
        let others = start(3, try request(), engine)
        try await eventually { engine.shared.waitingCount == 3 }
        others[1].cancel()
        try await eventually { engine.shared.waitingCount == 2 }
        #expect(!subject.cancelled.isOpen)
        first[0].cancel()
        try await eventually { subject.cancelled.isOpen }
        // Its place is free for those who waited, also while the store that was given up says nothing.
        try await eventually { subject.gate.waiting == Self.limit + 1 && engine.shared.waitingCount == 0 }
        subject.gate.open()
        await expect("deadlineExceeded at release", of: [first[0], others[1]])
        for task in Array(first.dropFirst()) + [others[0], others[2]] { _ = try await task.value }
        #expect(subject.engine.calls.count.store == Self.limit + 1)
    }

    @Test("who waits for the next exchange waits no longer than the deadline") func late() async throws {
        let subject = try Subject()
        let engine = try subject.engine.engine()
        let tasks = try await startApart(Self.limit, try request(), engine, at: subject.gate)
        let now = RequestContext(id: "late", deadline: .after(.zero), logger: subject.engine.log.logger())
        let request = try request()
        let error = await #expect(throws: BrokerError.self) { try await engine.release(request, in: now).text() }
        #expect(error?.outcome == "deadlineExceeded at release")
        #expect(engine.shared.waitingCount == 0)
        subject.gate.open()
        for task in tasks { _ = try await task.value }
        #expect(subject.engine.calls.count.store == Self.limit)
    }

    @Test("many callers, again and again, all get the key") func crowd() async throws {
        let subject = try Subject()
        subject.gate.open()
        let engine = try subject.engine.engine()
        let request = try request()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask { for _ in 0..<20 { _ = try await engine.release(request, in: engine.makeContext(id: "crowd")) } }
            }
            try await group.waitForAll()
        }
        #expect(engine.shared.waitingCount == 0)
        // A thread may still look for a prime of the session's key.
        try await eventually { engine.admission.load == (0, 0) && !engine.wrappingKeys.isBusy }
    }
}
