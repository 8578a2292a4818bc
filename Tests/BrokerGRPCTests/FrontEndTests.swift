import BrokerConfiguration
import BrokerCore
import BrokerEngine
import BrokerListeners
import FoundationEssentials
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import Glibc
import InMemoryLogging
import Logging
import OpenSSLCrypto
import PlainText
import SecureMemory
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import BrokerGRPC

private typealias Input = Keyprovider_keyProviderKeyWrapProtocolInput
private typealias Output = Keyprovider_keyProviderKeyWrapProtocolOutput

@Suite("The gRPC front end", .serialized, .timeLimit(.minutes(5))) struct FrontEndTests {
    private struct Server {
        let port: Int
        /// A unix socket instead of the port.
        let socket: String?
        let log: InMemoryLogHandler

        /// Calls UnWrapKey with a packet of a key that the scripted engine is asked for.
        func unwrap(_ metadata: Metadata = [:]) async throws -> Output {
            let packet = Base64.encode(Array(#"{"kid":"k","wrapped_data":"AQID","wrap_type":"rsa_3072"}"#.utf8))
            return try await call(Data(#"{"op":"keyunwrap","keyunwrapparams":{"annotation":"\#(packet)"}}"#.utf8), metadata)
        }

        func call(_ bytes: Data, _ metadata: Metadata = [:]) async throws -> Output {
            let transport =
                if let socket {
                    try HTTP2ClientTransport.Posix(target: .unixDomainSocket(path: socket), transportSecurity: .plaintext)
                } else {
                    try HTTP2ClientTransport.Posix(target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
                }
            return try await withGRPCClient(transport: transport) { client in
                var input = Input()
                input.keyProviderKeyWrapProtocolInput = bytes
                return try await client.unary(
                    request: ClientRequest(message: input, metadata: metadata),
                    descriptor: MethodDescriptor(fullyQualifiedService: KeyProviderMethods.current, method: "UnWrapKey"),
                    serializer: ProtobufSerializer<Input>(), deserializer: ProtobufDeserializer<Output>(), options: .defaults
                ) { try $0.message }
            }
        }
    }

    private func options(_ change: (inout GRPCFrontEndOptions) -> Void = { _ in }) -> GRPCFrontEndOptions {
        var options = GRPCFrontEndOptions(
            places: [.tcp(HostAndPort(host: "127.0.0.1", port: 0))], tls: nil, socketFile: SocketFileOptions(), hasReflection: false,
            messageLimit: 1 << 16, requestTimeout: .seconds(30), idleTimeout: .seconds(60), connectionLimit: 64, drainTimeout: .seconds(60))
        change(&options)
        return options
    }

    /// Serves while `body` runs, then begins a graceful shutdown and waits for its end; `during` runs while it drains.
    private func serve(
        _ answer: @escaping ScriptedKeys.Release, options: GRPCFrontEndOptions, during: @Sendable () async throws -> Void = {},
        _ body: @Sendable (Server) async throws -> Void
    ) async throws { try await serve(ScriptedKeys(answer), options: options, during: during, body) }

    private func serve(
        _ engine: ScriptedKeys, options: GRPCFrontEndOptions, during: @Sendable () async throws -> Void = {},
        _ body: @Sendable (Server) async throws -> Void
    ) async throws {
        let log = InMemoryLogHandler()
        let provider = KeyProviderService(engine, .init(keys: try KeyTable()))
        try await testGracefulShutdown { trigger in
            let (addresses, continuation) = AsyncStream<ListeningAddress>.makeStream()
            let frontEnd = GRPCFrontEnd(
                grpcEngine: engine, provider: provider, options: options, logger: Logger(label: "test") { _ in log }
            ) { continuation.yield($0) }
            async let running: Void = frontEnd.run()
            var port = 0
            for await address in addresses {
                if case .tcp(let bound) = address { port = bound.port }
                break
            }
            let socket = options.places.compactMap { if case .unix(let path) = $0 { path } else { nil } }.first
            try await body(Server(port: port, socket: socket, log: log))
            trigger.triggerGracefulShutdown()
            try await during()
            try await running
        }
    }

    private static let refusal = BrokerError(.releaseDenied, at: .release, "the policy is not met", retryAfter: .seconds(7))

    @Test("an error has a code, a message, and the broker's words in its details and in the log") func errors() async throws {
        try await serve({ (_) throws(BrokerError) in throw Self.refusal }, options: options()) { server in
            let error = try await #require(throws: RPCError.self) { try await server.unwrap() }
            #expect(error.code == .permissionDenied && error.message == "the policy is not met")
            let status = try #require(try error.unpackGoogleRPCStatus())
            let info = try #require(status.details.compactMap(\.errorInfo).first)
            #expect(info.reason == "releaseDenied" && info.domain == "attestation-broker")
            #expect(
                info.metadata["stage"] == "release" && info.metadata["retryable"] == "false" && info.metadata["code"] == "releaseDenied")
            #expect(status.details.compactMap(\.retryInfo).first?.delay == .seconds(7))
            let line = try #require(server.log.entries.first { $0.message == "call" })
            #expect(
                line.metadata["error"] == "the policy is not met" && line.metadata["request_id"]?.description == info.metadata["request_id"]
            )
        }
    }

    @Test("a call is its connection's, whatever it says of itself, and one that may not ask is refused before its message is read")
    func callers() async throws {
        let path = "/tmp/grpc-\(getpid()).sock"
        let places: [GRPCFrontEndOptions.Place] = [.tcp(HostAndPort(host: "127.0.0.1", port: 0)), .unix(path)]
        for place in places {
            let engine = ScriptedKeys(isOpen: false) { (_) throws(BrokerError) in throw Self.refusal }
            try await serve(engine, options: options { $0.places = [place] }) { server in
                let error = try await #require(throws: RPCError.self) {
                    try await server.call(Data("no message".utf8), ["x-broker-connection": "7", "authorization": "Bearer x"])
                }
                #expect(error.code == .permissionDenied && error.message.hasPrefix("no rule lets"))
            }
            let seen = engine.seen.withLock { $0 }
            #expect(seen.map(\.operation) == [.release] && engine.refusals.withLock { $0 } == [.release])
            #expect(engine.rests.withLock { $0 } == 1)
            let caller = try #require(seen.first?.caller)
            #expect(caller.bearer == "Bearer x")
            if case .unix = place {
                #expect(caller.way == .unix && caller.uid == getuid() && caller.pid == getpid() && caller.executable != nil)
            } else {
                #expect(caller.way == .tcp && caller.address == "127.0.0.1" && caller.uid == nil)
            }
        }
    }

    @Test("what is too long, or no protobuf at all, is refused, and the server lives") func malformed() async throws {
        try await serve({ (_) throws(BrokerError) in throw Self.refusal }, options: options()) { server in
            let long = try await #require(throws: RPCError.self) { try await server.call(Data(count: 1 << 16)) }
            #expect(long.code == .resourceExhausted)
            let longer = try await #require(throws: RPCError.self) { try await server.call(Data(count: 4 << 20)) }
            #expect(longer.code == .resourceExhausted && longer.message == long.message)
            for bytes in [
                [0x00], [0x16, 0x03, 0x01, 0x02, 0x00], Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 100),
            ] {
                await Self.send(bytes, to: server.port)
            }
            let after = try await #require(throws: RPCError.self) { try await server.unwrap() }
            #expect(after.code == .permissionDenied)
        }
    }

    @Test("all messages together are bounded, and what is short is never kept out") func budget() async throws {
        let tight = options { ($0.totalMessageLimit, $0.messageLimit) = (1000, 1 << 16) }
        try await serve({ (_) throws(BrokerError) in throw Self.refusal }, options: tight) { server in
            let long = try await #require(throws: RPCError.self) { try await server.call(Data(count: 60_000)) }
            #expect(long.code == .resourceExhausted && long.message.hasPrefix("too many"))
            let short = try await #require(throws: RPCError.self) { try await server.call(Data(count: 16_000)) }
            #expect(short.code == .invalidArgument)
        }
    }

    @Test("a connection too many is closed, and its place is free again when another ends") func connectionLimit() async throws {
        let (started, door) = (Door(), Door())
        try await serve(
            { (_) throws(BrokerError) in
                started.open()
                await door.wait()
                throw Self.refusal
            }, options: options { $0.connectionLimit = 1 }
        ) { server in
            let first = Task { try await server.unwrap() }
            await started.wait()
            #expect(await Self.send(Array("PRI * HTTP/2.0".utf8), to: server.port, untilEnd: true))
            door.open()
            _ = await first.result
            var code: RPCError.Code?
            while code != .permissionDenied { do { _ = try await server.unwrap() } catch { code = (error as? RPCError)?.code } }
        }
    }

    @Test("a client that goes away ends the work") func vanishing() async throws {
        let (started, ended) = (Door(), Door())
        try await serve(
            { (_) throws(BrokerError) in
                started.open()
                // Ends with the task alone.
                await Door().wait()
                ended.open()
                throw Self.refusal
            }, options: options()
        ) { server in
            let call = Task { try await server.unwrap() }
            await started.wait()
            call.cancel()
            await ended.wait()
            _ = await call.result
        }
    }

    @Test("a shutdown lets calls in progress end as they would") func drain() async throws {
        let (started, door) = (Door(), Door())
        let (outcomes, continuation) = AsyncStream<RPCError.Code?>.makeStream()
        try await serve(
            { (_) throws(BrokerError) in
                started.open()
                await door.wait()
                throw Self.refusal
            }, options: options(), during: { door.open() }
        ) { server in
            Task {
                do {
                    _ = try await server.unwrap()
                    continuation.yield(nil)
                } catch { continuation.yield((error as? RPCError)?.code) }
            }
            await started.wait()
        }
        for await outcome in outcomes {
            #expect(outcome == .permissionDenied)
            break
        }
    }

    @Test("a call that does not end is cut when the drain is over") func cut() async throws {
        let started = Door()
        try await serve(
            { (_) throws(BrokerError) in
                started.open()
                await Door().wait()
                throw Self.refusal
            }, options: options { $0.drainTimeout = .milliseconds(50) }
        ) { server in
            Task { try await server.unwrap() }
            await started.wait()
        }
    }

    /// Writes bytes to a new connection and closes it, or first waits for the other side to end it. Whether that happened.
    @discardableResult private static func send(_ bytes: [UInt8], to port: Int, untilEnd: Bool = false) async -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        #expect(connected == 0)
        _ = write(descriptor, bytes, bytes.count)
        guard untilEnd else { return false }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count > 0 { continue }
            return count == 0 || errno == ECONNRESET
        }
    }
}

@Suite("Codes, messages and reflection") struct ProtocolTests {
    @Test("every code of the broker has one of gRPC's, and none is OK", arguments: BrokerError.Code.allCases) func codes(
        _ code: BrokerError.Code
    ) {
        let status = GRPCAnswer.error(BrokerError(code, at: .release, String(repeating: "x", count: 5000)), requestID: "id")
        #expect(status.message.count == 1000 && status.details.count == 1)
        #expect((1...16).contains(status.code.rawValue))
    }

    @Test("the field of a secret message goes in and out as it is") func secret() throws {
        var input = Input()
        input.keyProviderKeyWrapProtocolInput = Data([1, 2, 3])
        let bytes: [UInt8] = try ProtobufSerializer().serialize(input)
        let message = try SecretDeserializer<Input>().deserialize(bytes)
        let content = message.bytes.withUnsafeBytes { Array($0) }
        #expect(content == [1, 2, 3])
        let written: [UInt8] = try SecretSerializer<Output>().serialize(message)
        #expect(written == [0x0A, 3, 1, 2, 3] && bytes == written)
        let empty = try SecretDeserializer<Input>().deserialize([UInt8]())
        #expect(empty.bytes.count == 0)
        #expect(throws: RPCError.self) { _ = try SecretDeserializer<Input>().deserialize([0x0A, 9, 1] as [UInt8]) }
    }

    @Test("each service can be described") func reflection() {
        var question = Grpc_Reflection_V1_ServerReflectionRequest()
        question.listServices = "*"
        let names = ReflectionMethods.answer(question).listServicesResponse.service.map(\.name)
        #expect(names.count == 4)
        for name in names {
            question.fileContainingSymbol = name
            let answer = ReflectionMethods.answer(question)
            #expect(answer.fileDescriptorResponse.fileDescriptorProto.first.map { $0.count > 100 } == true, "\(name)")
            #expect(answer.originalRequest == question)
        }
        question.fileContainingSymbol = "no.such"
        #expect(ReflectionMethods.answer(question).errorResponse.errorCode == 5)
        question.fileByFilename = "health.proto"
        #expect(ReflectionMethods.answer(question).fileDescriptorResponse.fileDescriptorProto.count == 1)
        #expect(ReflectionMethods.answer(Grpc_Reflection_V1_ServerReflectionRequest()).errorResponse.errorCode == 12)
    }
}
