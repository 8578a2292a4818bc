internal import BrokerCore
internal import BrokerEngine
internal import GRPCCore

/// gRPC's health checking. The server as a whole serves while it answers; a key provider where nothing stands in the way of a release.
struct HealthMethods: RegistrableRPCService {
    static let name = "grpc.health.v1.Health"
    static let paths = ["/\(name)/Check"]

    let runner: CallRunner

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.register(Self.name, "Check", nil, runner) { (input: Grpc_Health_V1_HealthCheckRequest, context) async throws(BrokerError) in
            var response = Grpc_Health_V1_HealthCheckResponse()
            switch input.service {
            case "": response.status = .serving
            case KeyProviderMethods.current, KeyProviderMethods.original:
                response.status = await runner.engine.obstacles(in: context).isEmpty ? .serving : .notServing
            default: throw BrokerError(.keyNotFound, at: .route, "there is no service of that name")
            }
            return response
        }
    }
}
