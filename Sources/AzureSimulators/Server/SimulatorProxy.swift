internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PlainText
internal import ServiceLifecycle

/// An HTTP proxy that leads the names of Azure and AMD to the simulators and nowhere else, so that a client needs neither root nor a hosts
/// file: CONNECT for TLS, absolute-form requests for the metadata address (RFC 9110, section 9.3.6; RFC 9112, section 3.2.2).
struct SimulatorProxy: Service {
    /// Longest head of a request to the proxy, in bytes.
    private static let maximumHeadBytes = 8192
    static let metadataHost = "169.254.169.254"

    let host: String
    let port: Int
    let announcement: PortAnnouncement
    let logger: Logger

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Where a connection goes.
    enum Destination: Equatable {
        case tls
        case metadata
        case nowhere(String)
    }

    func run() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1).childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: host, port: port) { channel in Self.connection(channel) }
        announcement.announce(proxy: server.channel.localAddress?.port ?? 0)
        do {
            try await cancelWhenGracefulShutdown {
                try await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients { group.addTask { await serve(client) } }
                    }
                }
            }
        } catch is CancellationError {
            // Stopped.
        }
    }

    private static func connection(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            try Connection(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    private func serve(_ client: Connection) async {
        do {
            try await client.executeThenClose { inbound, outbound in
                var incoming = inbound.makeAsyncIterator()
                var head = ByteBuffer()
                var end: Int?
                while end == nil {
                    guard head.readableBytes <= Self.maximumHeadBytes, var more = try await incoming.next() else { return }
                    head.writeBuffer(&more)
                    end = Self.endOfHead(head.readableBytesView)
                }
                let isTunnel = head.readableBytesView.starts(with: "CONNECT ".utf8)
                let destination = Self.destination(String(decoding: head.readableBytesView.prefix { $0 != 0x0D }, as: UTF8.self))
                let ports = try await announcement.ports
                let port: Int
                switch destination {
                case .tls: port = ports.tls
                case .metadata: port = ports.metadata
                case .nowhere(let name):
                    logger.info("the proxy was asked for a host that is not simulated: \(name)")
                    return try await outbound.write(Self.refusal(name))
                }
                let upstream = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelOption(.allowRemoteHalfClosure, value: true)
                    .connect(host: host, port: port) { channel in Self.connection(channel) }
                try await upstream.executeThenClose { answers, requests in
                    if isTunnel, let end {
                        head.moveReaderIndex(forwardBy: end)
                        try await outbound.write(ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"))
                    }
                    if head.readableBytes > 0 { try await requests.write(head) }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            for try await bytes in answers { try await outbound.write(bytes) }
                            outbound.finish()
                        }
                        while let bytes = try await incoming.next() { try await requests.write(bytes) }
                        requests.finish()
                        try await group.waitForAll()
                    }
                }
            }
        } catch {
            // One of the two went away; both connections are closed.
            logger.debug("a proxied connection ended: \(error)")
        }
    }

    /// Bytes of the head with its empty line, when it is whole.
    private static func endOfHead(_ bytes: ByteBufferView) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= mark.count else { return nil }
        let start = bytes.startIndex
        return (start...(bytes.endIndex - mark.count)).first { bytes[$0..<($0 + mark.count)].elementsEqual(mark) }.map {
            $0 - start + mark.count
        }
    }

    /// By the first line of a request.
    static func destination(_ line: String) -> Destination {
        let words = line.split(separator: " ")
        guard words.count == 3 else { return .nowhere("?") }
        let target = words[1].lowercased()
        let isTunnel = words[0] == "CONNECT"
        guard isTunnel || target.hasPrefix("http://") else { return .nowhere(VisibleText.shortened(target)) }
        let authority = isTunnel ? target[...] : target.dropFirst("http://".utf8.count).prefix { $0 != "/" && $0 != "?" }
        let name = String(authority.prefix { $0 != ":" })
        if name == metadataHost { return .metadata }
        return isTunnel && KnownHosts.role(of: name) != nil ? .tls : .nowhere(VisibleText.shortened(name))
    }

    private static func refusal(_ name: String) -> ByteBuffer {
        let visible = String(decoding: name.utf8.filter { (0x21...0x7E).contains($0) }, as: UTF8.self)
        let text = "The simulators' proxy leads to the names of Azure and AMD alone; \(visible) is none of them.\n"
        return ByteBuffer(
            string:
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n"
                + text
        )
    }
}
