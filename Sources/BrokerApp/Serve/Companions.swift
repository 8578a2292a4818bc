internal import BrokerConfiguration
internal import BrokerHTTP
internal import BrokerObservability
internal import Logging
internal import ServiceLifecycle

extension ServeCommand {
    /// What runs beside the listeners: the readiness watch and, where they are wanted, metrics, spans and the watchdog's sign of life.
    static func companions(
        of composition: Composition, _ configuration: BrokerConfiguration, _ notifier: ServiceNotifier?, _ logger: Logger
    ) -> [ServiceGroupConfiguration.ServiceConfiguration] {
        func companion(_ name: String, _ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
            .init(service: service, successTerminationBehavior: .ignore, serviceName: name)
        }
        var companions = [
            companion(
                "readiness",
                ReadinessProbe(
                    engine: composition.engine, upstreams: composition.upstreams, metrics: composition.metrics, notifier: notifier))
        ]
        if let address = configuration.metrics {
            let registry = composition.metrics.registry
            let frontEnd = MetricsFrontEnd(
                address, logger: logger, onListening: { logger.notice("serving metrics", metadata: ["url": "http://\($0)/metrics"]) }
            ) { accept in
                let format = Exposition(accept: accept)
                return (format.rawValue, format.page(registry))
            }
            companions.append(companion("metrics", frontEnd))
        }
        if let spans = composition.spans { companions.append(companion("spans", SpanExportService(exporter: spans))) }
        if let notifier, let interval = notifier.watchdogInterval {
            companions.append(companion("watchdog", WatchdogService(notifier: notifier, interval: interval)))
        }
        return companions
    }
}
