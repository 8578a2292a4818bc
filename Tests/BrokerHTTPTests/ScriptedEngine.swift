import Waiting
import BrokerCore
import BrokerEngine
import HTTPTransport
import Logging
import PlainText
import SNPVerification
import SecureMemory
import Synchronization

@testable import BrokerHTTP

/// An engine that answers what the test says and remembers what it was asked.
final class ScriptedEngine: RequestEngine {
    enum Question: Equatable {
        case raw([UInt8])
        case combined([UInt8])
        case verdict([UInt8])
        case token([UInt8], Endpoint?)
        case release(key: String, store: Endpoint?, authority: Endpoint?, bearer: String?)
    }

    struct Script: Sendable {
        var provenance = Evidence.Provenance.hardware
        var error: BrokerError?
        var evidence = sampleEvidence
        var token = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"
        var jwk = #"{"k":"c2VjcmV0","kty":"oct"}"#
        var obstacles: [String] = []
        var refusal: @Sendable (Caller, RequestRecord.Operation) -> BrokerError? = { _, _ in nil }
        var upstreams: [UpstreamState] = []
        /// Runs before each answer.
        var pause: @Sendable () async -> Void = {}
    }

    static let sampleEvidence = Evidence(
        report: (0..<1184).map { UInt8(truncatingIfNeeded: $0) }, endorsements: [[1, 2, 3], Array(repeating: 7, count: 100)],
        endorsedTCB: "3100000000000000", platformEndorsements: [[0xD2, 0x84]], provenance: .hardware)

    let script: Script
    private let asked = Mutex<[Question]>([])
    let turnedAway = Mutex<[RequestRecord.Operation]>([])
    /// Answers that were to be held back if the caller is refused too often.
    let rests = Mutex(0)

    init(_ script: Script = Script()) { self.script = script }

    convenience init(failing error: BrokerError) {
        var script = Script()
        script.error = error
        self.init(script)
    }

    var questions: [Question] { asked.withLock { $0 } }

    var provenance: Evidence.Provenance { script.provenance }

    func makeContext(_ record: RequestRecord) -> RequestContext {
        RequestContext(record, deadline: .after(.seconds(30)), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func note(_ question: Question) async throws(BrokerError) {
        asked.withLock { $0.append(question) }
        await script.pause()
        if let error = script.error { throw error }
    }

    func rawEvidence(for data: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await note(.raw(data.bytes))
        return script.evidence
    }

    func combinedEvidence(for data: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        try await note(.combined(data.bytes))
        return script.evidence
    }

    func verdict(for data: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement {
        try await note(.verdict(data.bytes))
        return Judgement(
            verdict: .limited, checks: [Check("report-version", true, "version 5")], leftOut: [Omission("crl-stale", "old")],
            notChecked: [Omission("vmpl", "none")], product: "Milan", nextSteps: ["nothing"])
    }

    func token(for data: RuntimeData, from authority: Endpoint?, in context: RequestContext) async throws(BrokerError) -> AttestationToken {
        try await note(.token(data.bytes, authority))
        guard let authority else {
            // What the engine says when neither the request nor the configuration names one.
            throw BrokerError(.invalidRequest, at: .route, "the request names no maa_endpoint and the configuration has none")
        }
        return try AttestationToken(compact: script.token, authority: authority)
    }

    func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey {
        var bearer: String?
        if case .bearer(let token) = request.caller { bearer = token.reveal() }
        try await note(.release(key: "\(request.key)", store: request.store, authority: request.authority, bearer: bearer))
        let jwk = Array(script.jwk.utf8)
        return ReleasedKey(
            keyID: "https://demo.managedhsm.azure.net/keys/\(request.key)/0123456789abcdef0123456789abcdef",
            jwk: SecretBytes(capacity: jwk.count) { memory in
                memory.copyBytes(from: jwk)
                return jwk.count
            })
    }

    func identify(_ caller: Caller, authorization: [String]) throws(BrokerError) -> Caller { caller }

    func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError? { script.refusal(caller, operation) }

    func refused(_ operation: RequestRecord.Operation, _ error: BrokerError, in context: RequestContext) {
        turnedAway.withLock { $0.append(operation) }
    }

    func rest(beforeRefusing caller: Caller) async { rests.withLock { $0 += 1 } }

    func readiness(in context: RequestContext) async -> Readiness {
        await script.pause()
        return Readiness(obstacles: script.obstacles, provenance: script.provenance, upstreams: script.upstreams)
    }
}
