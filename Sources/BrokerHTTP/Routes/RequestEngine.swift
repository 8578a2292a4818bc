internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport

/// The part of `BrokerEngine` that the routes use, so that a test can script it.
protocol RequestEngine: Sendable {
    var provenance: Evidence.Provenance { get }
    func makeContext(_ record: RequestRecord) -> RequestContext
    func rawEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func token(for runtimeData: RuntimeData, from authority: Endpoint?, in context: RequestContext) async throws(BrokerError)
        -> AttestationToken
    func verdict(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement
    func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey
    /// Who asks, with what the request's head says of it.
    func identify(_ caller: Caller, authorization: [String]) throws(BrokerError) -> Caller
    /// Why the caller may not even ask; `nil` where it may.
    func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError?
    /// Tells who wants to know about a request that was turned away for that.
    func refused(_ operation: RequestRecord.Operation, _ error: BrokerError, in context: RequestContext)
    /// Holds an answer back that refuses a caller something, where that caller is refused too often.
    func rest(beforeRefusing caller: Caller) async
    /// Whether a release could be served.
    func readiness(in context: RequestContext) async -> Readiness
    /// What works for the time being only; empty when all is well.
    func notices() -> [String]
}

extension RequestEngine { func notices() -> [String] { [] } }

extension BrokerEngine: RequestEngine {}
