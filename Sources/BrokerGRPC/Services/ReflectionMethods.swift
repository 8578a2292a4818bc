internal import FoundationEssentials
internal import GRPCCore
internal import GRPCProtobuf
internal import OpenSSLCrypto

/// gRPC's server reflection, where the configuration wants it, under its present and its older name.
struct ReflectionMethods: RegistrableRPCService {
    static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
    /// Most questions of one call.
    static let limit = 1000

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for name in Self.names {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: name, method: "ServerReflectionInfo"),
                deserializer: ProtobufDeserializer<Grpc_Reflection_V1_ServerReflectionRequest>(),
                serializer: ProtobufSerializer<Grpc_Reflection_V1_ServerReflectionResponse>()
            ) { request, _ in
                StreamingServerResponse { writer in
                    var count = 0
                    for try await question in request.messages {
                        count += 1
                        guard count <= Self.limit else {
                            throw RPCError(code: .resourceExhausted, message: "too many questions in one call")
                        }
                        try await writer.write(Self.answer(question))
                    }
                    return [:]
                }
            }
        }
    }

    static func answer(_ question: Grpc_Reflection_V1_ServerReflectionRequest) -> Grpc_Reflection_V1_ServerReflectionResponse {
        var answer = Grpc_Reflection_V1_ServerReflectionResponse()
        answer.validHost = question.host
        answer.originalRequest = question
        switch question.messageRequest {
        case .listServices:
            var list = Grpc_Reflection_V1_ListServiceResponse()
            list.service = services.map { name in
                var service = Grpc_Reflection_V1_ServiceResponse()
                service.name = name
                return service
            }
            answer.listServicesResponse = list
        case .fileByFilename(let name): answer.messageResponse = response(ProtocolDescriptors.files[name]?.descriptor)
        case .fileContainingSymbol(let symbol):
            let file = ProtocolDescriptors.files.values.first { $0.symbols.contains(symbol) }
            answer.messageResponse = response(file?.descriptor)
        case nil:
            var error = Grpc_Reflection_V1_ErrorResponse()
            error.errorCode = Int32(RPCError.Code.unimplemented.rawValue)
            error.errorMessage = "not known to this server"
            answer.errorResponse = error
        }
        return answer
    }

    private static let services = [KeyProviderMethods.current, KeyProviderMethods.original, HealthMethods.name] + names.prefix(1)

    private static func response(_ descriptor: String?) -> Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse {
        guard let bytes = descriptor.flatMap({ Base64.decode($0) }) else {
            var error = Grpc_Reflection_V1_ErrorResponse()
            error.errorCode = Int32(RPCError.Code.notFound.rawValue)
            error.errorMessage = "no such file or symbol"
            return .errorResponse(error)
        }
        var file = Grpc_Reflection_V1_FileDescriptorResponse()
        file.fileDescriptorProto = [Data(bytes)]
        return .fileDescriptorResponse(file)
    }
}
