package import BrokerCore
package import HTTPTransport

/// Whether the broker could serve a release right now.
package struct Readiness: Sendable, Equatable {
    /// What stands in the way, one sentence each with the provider's name in front; empty when ready.
    package let obstacles: [String]
    /// What the evidence is worth.
    package let provenance: Evidence.Provenance
    /// Services with which something is the matter, also where that stands in nobody's way.
    package let upstreams: [UpstreamState]

    package init(obstacles: [String], provenance: Evidence.Provenance, upstreams: [UpstreamState] = []) {
        self.obstacles = obstacles
        self.provenance = provenance
        self.upstreams = upstreams
    }

    package var isReady: Bool { obstacles.isEmpty }
}

extension BrokerEngine {
    /// What the providers make do with at present, one sentence each with the provider's name in front.
    package func notices() -> [String] {
        let providers: [(name: String, provider: Any)] =
            [(evidence.name, evidence.provider), (verifier.name, verifier.provider)] + keyStores.map { ($0.name, $0.provider) }
        return providers.flatMap { entry in
            ((entry.provider as? any NoticeReporting)?.notices() ?? []).map { "\(entry.name): \($0)" }
        }
    }

    /// Asks all providers that can tell, at once; one that does not answer in time is an obstacle itself.
    package func readiness(in context: RequestContext) async -> Readiness {
        typealias Asked = (name: String, provider: any ReadinessReporting, stage: BrokerError.Stage)
        func asked(_ name: String, _ provider: Any, _ stage: BrokerError.Stage) -> Asked? {
            (provider as? any ReadinessReporting).map { (name, $0, stage) }
        }
        let all =
            [asked(evidence.name, evidence.provider, .evidence), asked(verifier.name, verifier.provider, .verify)]
            + judges.providers.map { asked($0.name, $0.provider, .verify) } + keyStores.map { asked($0.name, $0.provider, .release) }
        let found = await withTaskGroup(of: (index: Int, obstacles: [String]).self) { group in
            for (index, asked) in all.enumerated() {
                guard let (name, provider, stage) = asked else { continue }
                group.addTask { (index, await self.obstacles(of: name, provider, at: stage, in: context)) }
            }
            return await group.reduce(into: [Int: [String]]()) { found, answer in found[answer.index] = answer.obstacles }
        }
        // In the order of a release, whoever answered first.
        let obstacles = all.indices.flatMap { found[$0] ?? [] } + watch.obstacles + observers.flatMap { $0.obstacles }
        watch.tell(obstacles)
        return Readiness(obstacles: obstacles, provenance: provenance, upstreams: upstreams?.upstreamStates ?? [])
    }

    private func obstacles(of name: String, _ provider: any ReadinessReporting, at stage: BrokerError.Stage, in context: RequestContext)
        async -> [String]
    {
        do throws(BrokerError) {
            let found = try await bounded(by: context, beginningAt: stage) { [self] () async throws(BrokerError) in
                try await asked(at: stage, in: context) { await provider.obstacles(in: context) }
            }
            return found.map { "\(name): \($0)" }
        } catch { return ["\(name): \(error.message)"] }
    }
}
