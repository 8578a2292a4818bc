public import BrokerCore
internal import HTTPTransport

/// Whether the broker could serve a release right now.
public struct Readiness: Sendable, Equatable {
    /// What stands in the way, one sentence each with the provider's name in front; empty when ready.
    public let obstacles: [String]
    /// What the evidence is worth.
    public let provenance: Evidence.Provenance

    public var isReady: Bool { obstacles.isEmpty }
}

extension BrokerEngine {
    /// Asks each provider that can tell.
    public func readiness(in context: RequestContext) async -> Readiness {
        var obstacles: [String] = []
        func ask(_ name: String, _ provider: (any ReadinessReporting)?) async {
            guard let provider else { return }
            obstacles += await provider.obstacles(in: context).map { "\(name): \($0)" }
        }
        await ask(evidence.name, evidence.provider as? any ReadinessReporting)
        await ask(verifier.name, verifier.provider as? any ReadinessReporting)
        for store in keyStores { await ask(store.name, store.provider as? any ReadinessReporting) }
        return Readiness(obstacles: obstacles, provenance: provenance)
    }
}
