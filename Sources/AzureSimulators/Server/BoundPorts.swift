internal import Waiting
internal import Synchronization

/// Where the simulators listen.
package struct SimulatorPorts: Sendable, Equatable {
    /// TLS: attestation, key stores, Entra, AMD's hosts.
    package let tls: Int
    /// Plain HTTP: IMDS and THIM.
    package let metadata: Int
    /// The proxy that leads to both, where one was asked for.
    package let proxy: Int?

    package init(tls: Int, metadata: Int, proxy: Int? = nil) {
        self.tls = tls
        self.metadata = metadata
        self.proxy = proxy
    }
}

/// Hands the ports to whoever waits for them, once every listener is up.
final class PortAnnouncement: Sendable {
    typealias Announced = Result<SimulatorPorts, SimulatorError>

    private struct State {
        let expectsProxy: Bool
        var tls: Int?
        var metadata: Int?
        var proxy: Int?
        var failure: SimulatorError?
        var waiting = WaitList<Announced>()

        var result: Announced? {
            if let tls, let metadata, proxy != nil || !expectsProxy {
                return .success(SimulatorPorts(tls: tls, metadata: metadata, proxy: proxy))
            }
            return failure.map { .failure($0) }
        }
    }

    private let state: Mutex<State>

    init(expectsProxy: Bool) { state = Mutex(State(expectsProxy: expectsProxy)) }

    func announce(tls port: Int) { change { $0.tls = port } }
    func announce(metadata port: Int) { change { $0.metadata = port } }
    func announce(proxy port: Int) { change { $0.proxy = port } }
    func fail(_ error: SimulatorError) { change { $0.failure = $0.failure ?? error } }

    var ports: SimulatorPorts {
        get async throws(SimulatorError) {
            let waiter = state.withLock { $0.waiting.add() }
            change { _ in }
            let result = await waiter.value { state.withLock { $0.waiting.remove(waiter) } }
            guard let result else { throw SimulatorError("nobody waits for the ports any more") }
            return try result.get()
        }
    }

    /// Changes what is known, and tells everybody who waits once there is something to tell.
    private func change(_ body: (inout State) -> Void) {
        let (waiting, result) = state.withLock { state -> ([Waiter<Announced>], Announced?) in
            body(&state)
            let result = state.result
            return (result == nil ? [] : state.waiting.takeAll(), result)
        }
        if let result { for waiter in waiting { waiter.resume(result) } }
    }
}
