package import BrokerConfiguration
internal import BrokerCore
package import BrokerEngine
package import BrokerListeners
internal import HTTPTransport
package import Logging
internal import PlainText
internal import ServiceLifecycle

/// The REST interface of the broker: the routes of the original sidecar with its request and answer bodies, and two for orchestrators.
///
/// As a `Service` it runs until its task is cancelled or a graceful shutdown begins. On a graceful shutdown it stops listening at once,
/// lets requests finish
/// for `HTTPFrontEndOptions.drainTimeout`, then cuts what is left and returns.
package struct HTTPFrontEnd: Service {
    /// One answer, refusals that never reached the engine included.
    package struct Answered: Sendable {
        /// One of `routes`.
        package let route: String
        package let status: Int
    }

    static let noRoute = "unmatched"
    /// Every route, and `unmatched`.
    package static var routes: [String] { Route.allCases.map(\.rawValue) + [noRoute] }

    private let engine: any RequestEngine
    private let options: HTTPFrontEndOptions
    private let logger: Logger
    private let onListening: @Sendable (ListeningAddress) async -> Void
    private let onAnswer: @Sendable (Answered) -> Void

    /// - Parameters:
    ///   - logger: gets one line at `info` for each request.
    ///   - onListening: called once for each listener as soon as it accepts connections.
    ///   - onAnswer: called for each answer, sent or not.
    package init(
        engine: BrokerEngine, options: HTTPFrontEndOptions, logger: Logger,
        onListening: @escaping @Sendable (ListeningAddress) async -> Void = { _ in },
        onAnswer: @escaping @Sendable (Answered) -> Void = { _ in }
    ) { self.init(requestEngine: engine, options: options, logger: logger, onListening: onListening, onAnswer: onAnswer) }

    init(
        requestEngine: any RequestEngine, options: HTTPFrontEndOptions, logger: Logger,
        onListening: @escaping @Sendable (ListeningAddress) async -> Void = { _ in },
        onAnswer: @escaping @Sendable (Answered) -> Void = { _ in }
    ) {
        self.engine = requestEngine
        self.options = options
        self.logger = logger
        self.onAnswer = onAnswer
        self.onListening = onListening
    }

    /// - Throws: `BrokerError` with code `misconfigured` when a listener cannot be opened.
    package func run() async throws {
        let tls = try options.tls.map { (files) throws(BrokerError) in try ServerTLS(files) }
        let listeners = listeners(tls)
        guard !listeners.isEmpty else {
            throw BrokerError(.misconfigured, at: .startup, "server: neither an HTTP address nor a unix socket is set")
        }
        try await withThrowingTaskGroup(of: Ended.self) { group in
            for listener in listeners {
                group.addTask {
                    try await listener.run()
                    return .listener
                }
            }
            group.addTask { await self.awaitEndOfDrain() }
            var running = listeners.count
            while running > 0, let ended = try await group.next() {
                switch ended {
                case .listener: running -= 1
                case .drainTimeout:
                    logger.warning(
                        "requests were still running when the drain timeout passed; their connections are cut",
                        metadata: ["drain_timeout": "\(options.drainTimeout)"])
                    group.cancelAll()
                case .cancelled: break
                }
            }
            group.cancelAll()
        }
    }

    private enum Ended { case listener, drainTimeout, cancelled }

    private func awaitEndOfDrain() async -> Ended {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: options.drainTimeout)
            return .drainTimeout
        } catch { return .cancelled }
    }

    private func listeners(_ tls: ServerTLS?) -> [HTTPListener] {
        let budget = BodyBudget(options.totalBodyLimit, longestBody: options.bodyLimit)
        func listener(_ place: HTTPListener.Place, _ hosts: HostRule, _ tls: ServerTLS? = nil) -> HTTPListener {
            let responder = Responder(
                engine: engine, errors: ErrorAnswers(profile: options.profile), hosts: hosts, startsTraces: options.startsTraces)
            return HTTPListener(
                place: place,
                setup: HTTPConnectionSetup(
                    options: options, budget: budget, responder: responder, accessLog: AccessLog(logger: logger, onAnswer: onAnswer),
                    tls: tls),
                options: options, logger: logger, onListening: onListening)
        }
        var listeners: [HTTPListener] = []
        if let tcp = options.http {
            let name = IPAddress(tcp.host) == nil ? tcp.host : nil
            let isStrict = options.profile == .precise
            let hosts = HostRule(
                restrictsHost: tcp.isLoopback || isStrict, names: options.hosts + [name].compactMap(\.self), wantsJSON: isStrict)
            listeners.append(listener(.tcp(tcp), hosts, tls))
        }
        if let path = options.unix { listeners.append(listener(.unix(path), HostRule(restrictsHost: false, names: []))) }
        return listeners
    }
}
