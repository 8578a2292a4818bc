internal import BrokerCore
internal import BrokerEngine

/// The part of `BrokerEngine` that the methods use beside the key provider, so that a test can script it.
protocol GRPCEngine: Sendable {
    var provenance: Evidence.Provenance { get }
    func makeContext(_ record: RequestRecord) -> RequestContext
    /// Who asks, with what the call's metadata says of it.
    func identify(_ caller: Caller, authorization: [String]) throws(BrokerError) -> Caller
    /// Why the caller may not even ask; `nil` where it may.
    func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError?
    /// Tells who wants to know about a call that was turned away for that.
    func refused(_ operation: RequestRecord.Operation, _ error: BrokerError, in context: RequestContext)
    /// Holds an answer back that refuses a caller something, where that caller is refused too often.
    func rest(beforeRefusing caller: Caller) async
    func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence
    func combinedEvidence(for runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Evidence
    /// What stands in the way of a release; empty when nothing does.
    func obstacles(in context: RequestContext) async -> [String]
}

extension BrokerEngine: GRPCEngine {
    func obstacles(in context: RequestContext) async -> [String] { await readiness(in: context).obstacles }
}
