internal import BrokerCore

extension AttestationAuthority: ReadinessReporting {
    /// The default authority must show its keys; a token could not be verified otherwise. Keys that are known already cost no request.
    func obstacles(in context: RequestContext) async -> [String] {
        guard let authority = defaultAuthority else { return [] }
        do {
            try await keys.load(of: authority, in: context)
            return []
        } catch { return [error.message] }
    }
}
