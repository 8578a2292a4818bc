import BrokerCore
import HTTPTransport
import Logging
import OpenSSLCrypto
import Synchronization
import Testing

@testable import BrokerEngine

/// What is learned about a request, and who is told.
@Suite("Request records") struct RecordTests {
    private static let name = "k"

    private func record(id: String) -> RequestRecord {
        var caller = Caller(.unix)
        caller.uid = 1000
        return RequestRecord(requestID: id, caller: caller)
    }

    private func release(_ engine: BrokerEngine, id: String = "r", store: String? = nil) async throws {
        let request = ReleaseRequest(key: try #require(KeyName(Self.name)), store: try store.map { try Endpoint($0) })
        _ = try await engine.release(request, in: engine.makeContext(record(id: id)))
    }

    @Test("a release's record has key, store, authority, proof, session and durations") func complete() async throws {
        let observer = RecordingObserver()
        let engine = try EngineUnderTest().engine(observers: [observer])
        try await release(engine)
        let record = try #require(observer.completed.first)
        #expect(observer.completed.count == 1 && observer.answered.map(\.requestID) == ["r"])
        #expect(record.operation == .release && record.code == "ok" && record.caller.uid == 1000)
        #expect(record.key?.description == Self.name && record.releasedKeyID?.hasPrefix("https://one.vault.example/keys/k/") == true)
        #expect(record.store == "vault" && record.storeEndpoint?.description == "one.vault.example")
        #expect(record.authority?.description == "one.attest.example")
        let proof = try #require(record.proof)
        #expect(Hex.decode(proof.evidenceDigest)?.count == 32 && proof.tcb.count == 16 && Hex.decode(proof.policyDigest)?.count == 32)
        #expect(proof.tokenDigest.flatMap { Hex.decode($0) }?.count == 32)
        #expect(record.session == .single && !record.isShared)
        #expect(Set(record.durations.keys) == [.queue, .evidence, .verify, .identity, .release, .unwrap, .audit])
        #expect(try #require(record.duration) > .zero)
    }

    @Test("sessions say whether they were there, and who waits together has the same proof") func sessions() async throws {
        let observer = RecordingObserver()
        var subject = try EngineUnderTest()
        subject.session = ReleaseSessionOptions(maxAge: .seconds(600), maxUses: 100)
        // A session lasts no longer than its token.
        subject.token = { runtime, authority throws(BrokerError) in try ReleaseSessionTests.token(runtime, authority) }
        let engine = try subject.engine(observers: [observer])
        try await release(engine, id: "1")
        try await release(engine, id: "2")
        #expect(observer.completed.map(\.session) == [.new, .reused])
        #expect(observer.completed[0].proof == observer.completed[1].proof)
        #expect(observer.completed[1].durations[.evidence] == nil)
    }

    @Test("a failure is told with what was known by then") func failures() async throws {
        let observer = RecordingObserver()
        var subject = try EngineUnderTest()
        subject.wrapped = { _, _ throws(BrokerError) in throw BrokerError(.releaseDenied, at: .release, "no") }
        let engine = try subject.engine(observers: [observer])
        await #expect(throws: BrokerError.self) { try await release(engine) }
        await #expect(throws: BrokerError.self) { try await release(engine, store: "elsewhere.example") }
        #expect(observer.completed.map(\.code) == ["releaseDenied", "noProvider"])
        #expect(observer.completed[0].proof?.tokenDigest != nil && observer.completed[0].releasedKeyID == nil)
        #expect(observer.completed[1].key?.description == Self.name && observer.completed[1].store == nil)
        #expect(observer.answered.isEmpty)
    }

    @Test("whoever is told before the answer leaves can keep it back") func veto() async throws {
        let observer = RecordingObserver(veto: BrokerError(.auditUnavailable, at: .audit, "full"))
        let engine = try EngineUnderTest().engine(observers: [observer])
        await #expect(throws: BrokerError.self) { try await release(engine) }
        #expect(observer.completed.map(\.code) == ["auditUnavailable"])
        await #expect(throws: BrokerError.self) {
            _ = try await engine.rawEvidence(for: RuntimeData([1]), in: engine.makeContext(record(id: "raw")))
        }
        #expect(observer.completed.map(\.operation) == [.release, .attestRaw])
    }

    @Test("the log names key, store, authority, caller and durations; failures are warnings with a next step") func log() async throws {
        var subject = try EngineUnderTest()
        let observer = RecordingObserver()
        try await release(try subject.engine(observers: [observer]))
        let released = try #require(observer.completed.first)
        #expect(RequestLog.level(of: released) == .info)
        let fields = RequestLog.fields(of: released)
        #expect(fields["store"] == "vault" && fields["authority"] == "one.attest.example" && fields["caller"] == "uid 1000")
        #expect(fields["release_ms"] != nil && fields["duration_ms"] != nil && fields["code"] == "ok" && fields["next"] == nil)
        subject.wrapped = { _, _ throws(BrokerError) in throw BrokerError(.keyNotFound, at: .release, "there is\nno key") }
        await #expect(throws: BrokerError.self) { try await release(try subject.engine(observers: [observer])) }
        let failed = try #require(observer.completed.last)
        #expect(RequestLog.level(of: failed) == .warning)
        let said = RequestLog.fields(of: failed)
        #expect(said["error"] == "there is no key" && said["key"] == "k" && said["code"] == "keyNotFound" && said["stage"] == "release")
        #expect(said["next"].map { "\($0)".contains("key list") } == true)
        for code in BrokerError.Code.allCases { #expect(!code.nextStep.isEmpty) }
    }
}

/// Remembers what it is told, and says no where it is told to.
final class RecordingObserver: RequestObserver {
    private let state = Mutex((answered: [RequestRecord](), completed: [RequestRecord]()))
    private let veto: BrokerError?

    init(veto: BrokerError? = nil) { self.veto = veto }

    var answered: [RequestRecord] { state.withLock { $0.answered } }
    var completed: [RequestRecord] { state.withLock { $0.completed } }

    func willAnswer(_ record: RequestRecord) async throws(BrokerError) {
        if let veto { throw veto }
        state.withLock { $0.answered.append(record) }
    }

    func completed(_ record: RequestRecord) { state.withLock { $0.completed.append(record) } }
}
