package import BrokerCore

extension BrokerEngine {
    /// What the providers find out about themselves, evidence first. Each gets a request's time of its own.
    package func diagnosis(network: Bool, id: String) async -> [Finding] {
        var findings: [Finding] = []
        func ask(_ name: String, _ provider: (any Diagnosing)?, at stage: BrokerError.Stage) async {
            guard let provider else { return }
            let context = makeContext(id: id)
            do {
                findings += try await bounded(by: context, beginningAt: stage) { [self] () async throws(BrokerError) in
                    try await asked(at: stage, in: context) { await provider.diagnosis(network: network, in: context) }
                }
            } catch { findings.append(Finding(name, error)) }
        }
        await ask(evidence.name, evidence.provider as? any Diagnosing, at: .evidence)
        await ask(verifier.name, verifier.provider as? any Diagnosing, at: .verify)
        for store in keyStores { await ask(store.name, store.provider as? any Diagnosing, at: .release) }
        return findings
    }
}
