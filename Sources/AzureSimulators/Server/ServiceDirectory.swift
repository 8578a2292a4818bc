internal import Logging
internal import ServiceLifecycle

/// A simulated service: it names the kind of a request, then answers it. It never fails; whatever is wrong is an answer.
protocol SimulatedService: Sendable {
    func route(of request: SimulatorRequest) -> SimulatorRoute
    func respond(to request: SimulatorRequest) async -> SimulatorResponse
}

/// Finds the service for a request, counts it and applies faults. Requests from sockets and from inside the process both come through here.
struct ServiceDirectory: Sendable {
    let attestation: any SimulatedService
    let vault: any SimulatedService
    let managedHSM: any SimulatedService
    let entra: any SimulatedService
    let keyDistribution: any SimulatedService
    let certificateCache: any SimulatedService
    let management: any SimulatedService
    let metadata: any SimulatedService
    let faults: FaultBoard
    let onExchange: (@Sendable (SimulatedExchange) -> Void)?
    let logger: Logger

    /// Answers a request that came over TLS; the Host field says for whom it is.
    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        guard let service = service(for: request.host) else {
            _ = faults.take(.other)
            return SimulatorResponse(error: 404, code: "UnknownHost", message: "No simulated service has the host name that was asked for.")
        }
        return await respond(to: request, by: service)
    }

    /// Answers a request that came over the plain port of the metadata services.
    func respondAsMetadata(to request: SimulatorRequest) async -> SimulatorResponse { await respond(to: request, by: metadata) }

    /// Whether a host is one of the simulated ones.
    func serves(_ host: String) -> Bool { KnownHosts.role(of: host) != nil }

    private func service(for host: String) -> (any SimulatedService)? {
        switch KnownHosts.role(of: host) {
        case .attestation: attestation
        case .keyStore(.vault): vault
        case .keyStore(.managedHSM): managedHSM
        case .entra: entra
        case .management: management
        case .keyDistribution: keyDistribution
        case .certificateCache: certificateCache
        case nil: nil
        }
    }

    private func respond(to request: SimulatorRequest, by service: any SimulatedService) async -> SimulatorResponse {
        let route = service.route(of: request)
        let effect = faults.take(route, host: request.host)
        var response: SimulatorResponse
        switch effect {
        case .status(let status, let headers, let body):
            response =
                body.isEmpty
                ? SimulatorResponse(error: status, code: Self.code(status), message: "Injected by the simulator.")
                : SimulatorResponse(status, body: body)
            response.headers += headers
        case .hang:
            await Self.pause(.seconds(600))
            response = SimulatorResponse(error: 503, code: "ServiceUnavailable", message: "Injected by the simulator.")
        case .delay(let duration):
            await Self.pause(duration)
            response = await service.respond(to: request)
        default:
            response = await service.respond(to: request)
            Self.spoil(&response.body, effect)
        }
        onExchange?(
            SimulatedExchange(
                method: request.method, host: request.authority, path: request.path, query: request.query.map { ($0.name, $0.value) },
                headers: request.headers, body: request.body, status: response.status, answer: response.body))
        logger.debug("answered", metadata: ["route": "\(route.rawValue)", "host": "\(request.host)", "status": "\(response.status)"])
        return response
    }

    private static func spoil(_ body: inout [UInt8], _ effect: FaultRule.Effect?) {
        switch effect {
        case .flipBit: if !body.isEmpty { body[body.count / 2] ^= 1 }
        case .truncate(let count): body = Array(body.prefix(max(count, 0)))
        case .replaceBody(let replace): body = replace(body)
        default: break
        }
    }

    /// Waits; ends early when the simulators stop.
    private static func pause(_ duration: Duration) async {
        do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) } } catch {
            // Cancelled: the answer goes out at once.
        }
    }

    private static func code(_ status: Int) -> String {
        switch status {
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 429: "Throttled"
        case 400..<500: "BadRequest"
        default: "ServiceUnavailable"
        }
    }
}
