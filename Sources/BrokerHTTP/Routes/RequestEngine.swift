internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport

/// The part of `BrokerEngine` that the routes use, so that a test can script it.
protocol RequestEngine: Sendable {
    var provenance: Evidence.Provenance { get }
    func makeContext(id: String) -> RequestContext
    func rawEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func token(for runtimeData: RuntimeData, from authority: Endpoint?, in context: RequestContext) async throws(BrokerError)
        -> AttestationToken
    func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey
    /// What stands in the way of a release; empty when nothing does.
    func obstacles(in context: RequestContext) async -> [String]
    /// What works for the time being only; empty when all is well.
    func notices() -> [String]
}

extension RequestEngine { func notices() -> [String] { [] } }

extension BrokerEngine: RequestEngine {
    func obstacles(in context: RequestContext) async -> [String] { await readiness(in: context).obstacles }
}
