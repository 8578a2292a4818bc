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
    /// Asks each provider that can tell; one that does not answer in time is an obstacle itself.
    public func readiness(in context: RequestContext) async -> Readiness {
        var obstacles: [String] = []
        func ask(_ name: String, _ provider: (any ReadinessReporting)?, at stage: BrokerError.Stage) async {
            guard let provider else { return }
            do {
                obstacles += try await bounded(by: context, at: stage) { () async throws(BrokerError) in
                    await provider.obstacles(in: context)
                }.map { "\(name): \($0)" }
            } catch {
                obstacles.append("\(name): \(error.message)")
            }
        }
        await ask(evidence.name, evidence.provider as? any ReadinessReporting, at: .evidence)
        await ask(verifier.name, verifier.provider as? any ReadinessReporting, at: .verify)
        for store in keyStores { await ask(store.name, store.provider as? any ReadinessReporting, at: .release) }
        return Readiness(obstacles: obstacles, provenance: provenance)
    }
}
