#if DEBUG || FUZZ
    internal import BrokerConfiguration
    internal import BrokerCore
    @testable internal import BrokerHTTP
    internal import BrokerListeners
    internal import NIOCore
    internal import NIOEmbedded
    internal import NIOHTTP1
    internal import OpenSSLCrypto
    internal import StrictJSON

    extension FuzzTarget {
        /// Bytes of a connection: however they are cut, they are the same requests, and each has one end.
        static let httpRequest = FuzzTarget("http-request", maximumBytes: 1500, seeds: ConnectionTarget.seeds, run: ConnectionTarget.run)
        static let requestBody = FuzzTarget("request-body", maximumBytes: 1024, seeds: BodyTarget.seeds, run: BodyTarget.run)
    }

    private enum ConnectionTarget {
        private static let bodyLimit = 64
        private static let headerLimit = 512

        @Sendable static func seeds() -> [[UInt8]] {
            [
                "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "POST /key/release HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /attest/raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                "POST /attest/raw HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n{}{}",
                "HEAD /x?y HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: z\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nmore",
            ].map { Array($0.utf8) }
        }

        @Sendable static func run(_ input: [UInt8]) throws -> Bool {
            let whole = try requests(input, by: max(1, input.count))
            let single = try requests(input, by: 1)
            let cut = planted(single, instead: input.contains(0x7E) && !single.isEmpty ? Array(single.dropLast()) : single)
            try require(whole == cut, "in one piece \(whole), byte by byte \(single)")
            try require(try requests(input, by: 7) == whole, "in pieces of seven other requests")
            return whole.contains { $0.refusal == nil }
        }

        private struct Seen: Equatable {
            let line: String
            let fields: [String]
            let body: [UInt8]
            let refusal: Refusal?
        }

        /// What is delivered while every request is answered at once, and then the peer ends.
        private static func requests(_ input: [UInt8], by size: Int) throws -> [Seen] {
            let gate = ByteGate()
            let subject = AnsweredConnection(gate: gate, bodyLimit: bodyLimit, headerLimit: headerLimit)
            let channel = EmbeddedChannel()
            defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = headerLimit
            limits.maxHeaderListSize = headerLimit
            limits.maxHeaderFieldCount = 100
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(gate)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(subject)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
            var rest = input[...]
            while !rest.isEmpty, !subject.isClosed {
                let piece = rest.prefix(size)
                rest = rest.dropFirst(piece.count)
                channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            }
            if !subject.isClosed { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
            let requests = subject.requests
            try require(requests.dropLast().allSatisfy { $0.refusal == nil }, "a request follows one that was refused")
            return try requests.map { request in
                try require(request.body.readableBytes <= bodyLimit, "a body of \(request.body.readableBytes) bytes")
                return Seen(
                    line: request.head.map { "\($0.method.rawValue) \($0.uri) \($0.version)" } ?? "",
                    fields: request.head?.headers.map { "\($0.name): \($0.value)" } ?? [], body: Array(buffer: request.body),
                    refusal: request.refusal)
            }
        }
    }

    /// Does what `RequestAssembler` does with what `RequestAssembly` decides, without a clock, and answers at once.
    private final class AnsweredConnection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let gate: ByteGate
        private var assembly: RequestAssembly
        private(set) var requests: [InboundRequest] = []
        private(set) var isClosed = false

        init(gate: ByteGate, bodyLimit: Int, headerLimit: Int) {
            self.gate = gate
            assembly = RequestAssembly(
                caller: Caller(.tcp), bodyLimit: bodyLimit, headerLimit: headerLimit, budget: BodyBudget(1 << 20, longestBody: bodyLimit),
                door: { _, caller in (caller, nil) })
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): perform(assembly.received(head), context)
            case .body(let part): perform(assembly.received(part), context)
            case .end: perform(assembly.receivedEnd(), context)
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            switch event {
            case is ByteGate.BytesArrived: perform(assembly.bytesArrived(), context)
            case ChannelEvent.inputClosed: perform(assembly.inputClosed(), context)
            default: context.fireUserInboundEventTriggered(event)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? HTTPParserError { perform(assembly.failed(error), context) } else { isClosed = true }
        }

        private func perform(_ actions: [RequestAssembly.Action], _ context: ChannelHandlerContext) {
            for action in actions {
                switch action {
                case .start(.idle): gate.awaitBytes()
                case .start, .stopClock: break
                case .deliver(let request):
                    requests.append(request)
                    answer(request, context)
                case .sendContinue: context.writeAndFlush(wrapOutboundOut(.head(Self.head(.continue))), promise: nil)
                case .discard(let limit): gate.discard(upTo: limit ?? 1 << 20)
                case .close: isClosed = true
                }
            }
        }

        private func answer(_ request: InboundRequest, _ context: ChannelHandlerContext) {
            let (closes, actions) = assembly.answers(closing: request.refusal != nil)
            perform(actions, context)
            if closes { isClosed = true }
            context.write(wrapOutboundOut(.head(Self.head(.ok))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private static func head(_ status: HTTPResponseStatus) -> HTTPResponseHead {
            HTTPResponseHead(version: .http1_1, status: status, headers: status == .ok ? ["Content-Length": "0"] : [:])
        }
    }

    private enum BodyTarget {
        @Sendable static func seeds() -> [[UInt8]] {
            [
                #"{"runtime_data":"e30="}"#, #"{"maa_endpoint":"a.attest.azure.net","runtime_data":"-_8="}"#,
                #"{"MAA_Endpoint":"a","akv_endpoint":"b.vault.azure.net","kid":"my-key","access_token":null,"more":{"x":[1]}}"#,
            ].map { Array($0.utf8) }
        }

        @Sendable static func run(_ input: [UInt8]) throws -> Bool {
            var isTaken = false
            for shape in [BodyShape.rawAttest, .maaAttest, .keyRelease] {
                let members: BodyMembers
                do throws(Refusal) {
                    members = try input.withUnsafeBufferPointer { bytes throws(Refusal) in try BodyMembers(bytes, as: shape) }
                } catch {
                    try require(error.message.isOneLine && error.message.utf8.count < 2000, "the refusal \(error.message)")
                    continue
                }
                isTaken = true
                try compare(members, shape, input)
            }
            return isTaken
        }

        /// What a member says is the only member of its name, in any case of letters.
        private static func compare(_ members: BodyMembers, _ shape: BodyShape, _ input: [UInt8]) throws {
            guard case .object(let object)? = PlainJSON.parse(input)?.value else { throw BrokenProperty(description: "no object") }
            for member in BodyMember.allCases {
                let named = object.filter { $0.key.utf8.elementsEqual(member.rawValue.utf8) || $0.key.lowercased() == member.rawValue }
                    .filter { $0.key.utf8.allSatisfy { $0 < 0x80 } }
                var expected: String?
                if shape.members.contains(member) {
                    try require(named.count < 2, "\(member.rawValue) is taken twice")
                    if case .string(let text)? = named.first?.value, !text.isEmpty { expected = text }
                }
                let found = planted(members[member], instead: members[member]?.utf8.count == 3 ? nil : members[member])
                try require(found == expected, "\(member.rawValue) is \(found ?? "nothing")")
            }
            guard let text = members[.runtimeData], let bytes = try? RuntimeDataText.decode(text) else { return }
            let forms = [Base64.encode(bytes), Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_")]
            try require(forms.contains(text), "runtime data are read from another text")
        }
    }
#endif
