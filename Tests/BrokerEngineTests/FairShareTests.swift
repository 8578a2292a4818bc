import BrokerCore
import BrokerTestKit
import HTTPTransport
import SecureMemory
import Synchronization
import Testing

@testable import BrokerEngine

/// Nobody keeps others from their keys (C1).
@Suite("Shares of callers", .timeLimit(.minutes(5))) struct FairShareTests {
    private func context(_ engine: BrokerEngine, uid: UInt32) -> RequestContext {
        var caller = Caller(.unix)
        caller.uid = uid
        return engine.makeContext(RequestRecord(requestID: "uid-\(uid)", caller: caller))
    }

    private func release(_ engine: BrokerEngine, _ key: String = "k", uid: UInt32, store: String? = nil) async throws {
        let request = ReleaseRequest(key: try #require(KeyName(key)), store: try store.map { try Endpoint($0) })
        _ = try await engine.release(request, in: context(engine, uid: uid))
    }

    @Test("while one caller's releases hang, another's run") func hanging() async throws {
        var subject = try EngineUnderTest()
        subject.releaseLimit = 4
        subject.releaseQueue = 8
        let gate = Gate()
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            if reference.store.host.hasPrefix("slow.") { await gate.wait() }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        let attack = (0..<4).map { _ in Task { try await release(engine, uid: 1, store: "slow.vault.example") } }
        try await eventually { engine.admission.load == (4, 0) && gate.waiting == 4 }
        let queued = (0..<8).map { _ in Task { try await release(engine, uid: 1, store: "slow.vault.example") } }
        try await eventually { engine.admission.load == (4, 8) }
        for _ in 0..<5 { try await release(engine, uid: 2) }
        // The attacker itself has no more than its places.
        await #expect(throws: BrokerError.self) { try await release(engine, uid: 1) }
        gate.open()
        for task in attack + queued { try await task.value }
    }

    @Test("who waits takes turns by caller, and a full queue makes room for who has least of it") func turns() async throws {
        let admission = Admission(running: 1, waiting: 4, memory: .seconds(1))
        let gate = Gate()
        let order = Noted<String>()
        func enter(_ share: String) -> Task<Void, any Error> {
            Task {
                try await admission.admitted(share) { () async throws(BrokerError) in
                    await gate.wait()
                    order.add(share)
                }
            }
        }
        let first = enter("a")
        try await eventually { gate.waiting == 1 }
        // One more runs for a caller who has nothing running; then both wait.
        let second = enter("b")
        try await eventually { gate.waiting == 2 }
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<4 {
            waiting.append(enter("a"))
            try await eventually { admission.load.waiting == number + 1 }
        }
        let late = enter("b")
        await #expect(throws: BrokerError.self) { try await waiting[3].value }
        await #expect(throws: BrokerError.self) { try await enter("a").value }
        gate.open()
        for task in [first, second, late] + waiting.prefix(3) { try await task.value }
        let tail = order.all.dropFirst(2)
        #expect(tail.count == 4 && tail.filter { $0 == "b" }.count == 1)
        #expect(admission.load == (0, 0))
    }

    @Test("a key that its store just refused is not asked for again, by nobody, for as long as that is remembered") func refused()
        async throws
    {
        var subject = try EngineUnderTest()
        subject.refusedKeyMemory = .seconds(600)
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            guard reference.name.name == "k" else { throw BrokerError(.keyNotFound, at: .release, "no key") }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        for uid in [UInt32(1), 2, 3] {
            do {
                try await release(engine, "Invented", uid: uid)
            } catch let error as BrokerError {
                #expect(error.code == .keyNotFound && (uid == 1) == (error.retryAfter == nil))
            }
            await #expect(throws: BrokerError.self) { try await release(engine, "invented", uid: uid) }
        }
        #expect(subject.calls.count == .init(evidence: 1, verifier: 1, store: 1))
        try await release(engine, uid: 1)
        // SIGHUP forgets, and a caller's own token neither learns nor teaches.
        engine.endSessions()
        let own = ReleaseRequest(key: try #require(KeyName("invented")), caller: .bearer(.init("t")))
        for _ in 0..<2 { await #expect(throws: BrokerError.self) { _ = try await engine.release(own, in: context(engine, uid: 1)) } }
        await #expect(throws: BrokerError.self) { try await release(engine, "invented", uid: 1) }
        #expect(subject.calls.count.store == 5)
    }

    @Test("rules and rates hold for every use case, before anything is asked") func gate() async throws {
        let subject = try EngineUnderTest()
        var rule = AccessRule()
        (rule.uids, rule.keys) = ([1], [Glob("k", ignoringCase: true)])
        let observer = RecordingObserver()
        let engine = try subject.engine(observers: [observer], callers: CallerGate(rules: AccessRules([rule])))
        try await release(engine, uid: 1)
        await #expect(throws: BrokerError.self) { try await release(engine, "other", uid: 1) }
        await #expect(throws: BrokerError.self) { try await release(engine, uid: 2) }
        let data = RuntimeData([1])
        await #expect(throws: BrokerError.self) { _ = try await engine.rawEvidence(for: data, in: context(engine, uid: 1)) }
        await #expect(throws: BrokerError.self) { _ = try await engine.combinedEvidence(for: data, in: context(engine, uid: 1)) }
        await #expect(throws: BrokerError.self) { _ = try await engine.token(for: data, from: nil, in: context(engine, uid: 1)) }
        #expect(subject.calls.count == .init(evidence: 1, verifier: 1, store: 1))
        #expect(observer.completed.map(\.code) == ["ok"] + Array(repeating: "callerRefused", count: 5))
    }

    @Test("a service that leaves a request without an answer makes the broker not ready at once, until it answers") func readiness()
        async throws
    {
        var subject = try EngineUnderTest()
        let back = Noted<Bool>()
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            if back.all.isEmpty { throw BrokerError(.upstreamUnavailable, at: .release, "it does not answer") }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        #expect(await engine.readiness(in: context(engine, uid: 1)).isReady)
        // A store that only the request names counts for nothing.
        await #expect(throws: BrokerError.self) { try await release(engine, uid: 1, store: "other.vault.example") }
        #expect(await engine.readiness(in: context(engine, uid: 1)).isReady)
        for _ in 0..<2 { await #expect(throws: BrokerError.self) { try await release(engine, uid: 1) } }
        #expect(await engine.readiness(in: context(engine, uid: 1)).obstacles == ["release failed: it does not answer"])
        back.add(true)
        try await release(engine, uid: 1)
        #expect(await engine.readiness(in: context(engine, uid: 1)).isReady)
        let lines = subject.log.lines.filter { $0.contains("ready") }
        #expect(lines.count == 2 && lines[0].contains("not ready: release failed") && lines[1].contains("ready again"), "\(lines)")
    }
}

/// What several tasks have noted.
private final class Noted<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    var all: [Element] { state.withLock { $0 } }
    func add(_ element: Element) { state.withLock { $0.append(element) } }
}
