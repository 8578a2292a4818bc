import BrokerCore
import BrokerEngine
import HTTPTransport
import Logging
import OpenSSLCrypto
import Synchronization
import Waiting

@testable import BrokerGRPC

/// An engine that does what a closure says.
final class ScriptedKeys: KeyProviderEngine, GRPCEngine {
    typealias Release = @Sendable (ReleaseRequest) async throws(BrokerError) -> ReleasedKey

    static let evidence = Evidence(
        report: (0..<1184).map { UInt8(truncatingIfNeeded: $0) }, endorsements: [[1, 2, 3]], endorsedTCB: "3100000000000000",
        provenance: .hardware)

    let provenance = Evidence.Provenance.hardware
    let configuredAuthority: Endpoint? = nil
    private let answer: Release
    /// Whether callers may ask.
    private let isOpen: Bool
    let seen = Mutex<[(caller: Caller, operation: RequestRecord.Operation)]>([])
    let refusals = Mutex<[RequestRecord.Operation]>([])
    /// Answers that were to be held back if the caller is refused too often.
    let rests = Mutex(0)

    init(isOpen: Bool = true, _ answer: @escaping Release) {
        self.isOpen = isOpen
        self.answer = answer
    }

    func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey {
        try await answer(request)
    }

    func keyStore(named: Endpoint?) throws(BrokerError) -> Endpoint {
        throw BrokerError(.noProvider, at: .route, "there is no key store")
    }

    func publicKey(of key: KeyName, at store: Endpoint?, known: PublicKey?, in context: RequestContext) async throws(BrokerError)
        -> PublicKey
    {
        throw BrokerError(.keyNotFound, at: .release, "there is no such key")
    }

    func makeContext(_ record: RequestRecord) -> RequestContext {
        RequestContext(record, deadline: .after(.seconds(60)), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func identify(_ caller: Caller, authorization: [String]) throws(BrokerError) -> Caller {
        var caller = caller
        caller.bearer = authorization.first
        return caller
    }

    func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError? {
        seen.withLock { $0.append((caller, operation)) }
        return isOpen ? nil : BrokerError(.callerRefused, at: .caller, "no rule lets \(caller) in")
    }

    func refused(_ operation: RequestRecord.Operation, _ error: BrokerError, in context: RequestContext) {
        refusals.withLock { $0.append(operation) }
    }

    func rest(beforeRefusing caller: Caller) async { rests.withLock { $0 += 1 } }

    func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence { Self.evidence }

    func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence { Self.evidence }

    func obstacles(in context: RequestContext) async -> [String] { ["nothing works"] }
}

/// A door that tests open: waiting ends when it is opened or the waiting task is cancelled.
final class Door: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }

    func wait() async { for await _ in stream {} }
}
