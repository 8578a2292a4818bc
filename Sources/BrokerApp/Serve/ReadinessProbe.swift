internal import BrokerCore
internal import BrokerEngine
internal import BrokerObservability
internal import HTTPTransport
internal import ServiceLifecycle

/// Looks whether the broker could serve: once at the start, and every other second while a service has trouble or something stood in the
/// way the last time, for `broker_ready` and the service manager's status text; the engine logs the change. Nobody is asked while all is
/// well.
struct ReadinessProbe: Service {
    let engine: BrokerEngine
    let upstreams: any UpstreamReporting
    let metrics: BrokerMetrics
    let notifier: ServiceNotifier?

    static let interval = Duration.seconds(2)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var known: [String]?
            while !Task.isCancelled {
                if known?.isEmpty != true || upstreams.upstreamStates.contains(where: { $0.state != .throttled }) {
                    let found = await engine.readiness(in: engine.makeContext(id: known == nil ? "start-up" : "readiness")).obstacles
                    if Task.isCancelled { return }
                    if found != known { tell(found) }
                    known = found
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    private func tell(_ obstacles: [String]) {
        metrics.set("broker_ready", obstacles.isEmpty ? 1 : 0)
        notifier?.send("STATUS=\(obstacles.isEmpty ? "ready" : "not ready: \(obstacles.joined(separator: "; "))")")
    }
}

/// Sends the watchdog's sign of life, from the same threads that do the work: where these hang, none is sent.
struct WatchdogService: Service {
    let notifier: ServiceNotifier
    let interval: Duration

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                notifier.send("WATCHDOG=1")
                try await Task.sleep(for: interval)
            }
        }
    }
}

/// The writer of spans.
struct SpanExportService: Service {
    let exporter: SpanExporter

    func run() async throws { await cancelWhenGracefulShutdown { await exporter.run() } }
}
