internal import BrokerCore
internal import BrokerEngine

/// The part of `BrokerEngine` that the methods use beside the key provider, so that a test can script it.
protocol GRPCEngine: Sendable {
    var provenance: Evidence.Provenance { get }
    func makeContext(id: String) -> RequestContext
    func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    /// What stands in the way of a release; empty when nothing does.
    func obstacles(in context: RequestContext) async -> [String]
}

extension BrokerEngine: GRPCEngine {
    func obstacles(in context: RequestContext) async -> [String] { await readiness(in: context).obstacles }
}
