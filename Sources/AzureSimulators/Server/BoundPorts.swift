internal import Synchronization

/// Where the simulators listen.
package struct SimulatorPorts: Sendable, Equatable {
    /// TLS: attestation, key stores, Entra, AMD's hosts.
    package let tls: Int
    /// Plain HTTP: IMDS and THIM.
    package let metadata: Int

    package init(tls: Int, metadata: Int) {
        self.tls = tls
        self.metadata = metadata
    }
}

/// Hands the ports to whoever waits for them, once both listeners are up.
final class PortAnnouncement: Sendable {
    private struct State {
        var tls: Int?
        var metadata: Int?
        var failure: SimulatorError?
        var waiters: [CheckedContinuation<Result<SimulatorPorts, SimulatorError>, Never>] = []

        var result: Result<SimulatorPorts, SimulatorError>? {
            if let tls, let metadata { return .success(SimulatorPorts(tls: tls, metadata: metadata)) }
            return failure.map { .failure($0) }
        }
    }

    private let state = Mutex(State())

    func announce(tls port: Int) { change { $0.tls = port } }
    func announce(metadata port: Int) { change { $0.metadata = port } }
    func fail(_ error: SimulatorError) { change { $0.failure = $0.failure ?? error } }

    var ports: SimulatorPorts {
        get async throws(SimulatorError) {
            let result = await withCheckedContinuation { continuation in
                let known = state.withLock { state in
                    guard let result = state.result else {
                        state.waiters.append(continuation)
                        return Result<SimulatorPorts, SimulatorError>?.none
                    }
                    return result
                }
                if let known { continuation.resume(returning: known) }
            }
            return try result.get()
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let (result, waiters) = state.withLock { state in
            body(&state)
            guard let result = state.result else {
                return (
                    Result<SimulatorPorts, SimulatorError>?.none, [CheckedContinuation<Result<SimulatorPorts, SimulatorError>, Never>]()
                )
            }
            let waiters = state.waiters
            state.waiters = []
            return (result, waiters)
        }
        guard let result else { return }
        for waiter in waiters { waiter.resume(returning: result) }
    }
}
