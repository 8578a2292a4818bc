package import BrokerCore

extension BrokerEngine {
    /// What the providers find out about themselves, evidence first, each with the stage of a release that it is for. They are asked at
    /// the same time, and each gets a request's time of its own. `endorsements` says whether their sources outside this machine are asked.
    package func diagnosis(network: Bool, endorsements: Bool, id: String) async -> [(stage: BrokerError.Stage, finding: Finding)] {
        typealias Asked = (name: String, provider: any Diagnosing, stage: BrokerError.Stage, network: Bool)
        func asked(_ name: String, _ provider: Any, _ stage: BrokerError.Stage, _ network: Bool) -> Asked? {
            (provider as? any Diagnosing).map { (name, $0, stage, network) }
        }
        let all =
            [
                asked(evidence.name, evidence.provider, .evidence, network && endorsements),
                asked(verifier.name, verifier.provider, .verify, network),
            ] + judges.providers.map { asked($0.name, $0.provider, .verify, network) }
            + keyStores.map { asked($0.name, $0.provider, .release, network) }
        return await withTaskGroup(of: (index: Int, findings: [Finding]).self) { group in
            for (index, asked) in all.enumerated() {
                guard let (name, provider, stage, network) = asked else { continue }
                group.addTask { (index, await self.findings(of: name, provider, at: stage, network: network, id: id)) }
            }
            let found = await group.reduce(into: [Int: [Finding]]()) { found, answer in found[answer.index] = answer.findings }
            return all.indices.flatMap { index in (found[index] ?? []).map { (all[index]?.stage ?? .startup, $0) } }
        }
    }

    private func findings(
        of name: String, _ provider: any Diagnosing, at stage: BrokerError.Stage, network: Bool, id: String
    ) async -> [Finding] {
        let context = makeContext(id: id)
        do throws(BrokerError) {
            return try await bounded(by: context, beginningAt: stage) { [self] () async throws(BrokerError) in
                try await asked(at: stage, in: context) { await provider.diagnosis(network: network, in: context) }
            }
        } catch { return [Finding(name, error)] }
    }
}
