#if Simulators && FixtureEvidence
    internal import ArgumentParser
    internal import AzureSimulators
    internal import BrokerConfiguration
    internal import BrokerObservability
    internal import Logging
    internal import ServiceLifecycle
    internal import SNPReport
    internal import StrictJSON
    internal import UnixSignals

    struct SimulateCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "simulate",
            abstract: "Run stand-ins for MAA, Key Vault, Managed HSM, Entra, IMDS, THIM and AMD KDS on local ports.",
            discussion: """
                One TLS port serves every Azure host name. The directory receives ca.pem, the authority to trust, the fixture authority \
                whose \
                reports the simulated MAA accepts beside AMD's, and broker.json, a configuration for 'serve'.
                """
        ).examples("simulate", "simulate --proxy-port 8082", "simulate --directory azure --fault kds=503")

        @Option(help: ArgumentHelp("Where to put ca.pem, the fixture authority and broker.json.", valueName: "directory")) var directory =
            ".attestation-broker"
        @Option(help: ArgumentHelp("TLS port; 0 picks a free one.", valueName: "port")) var port = 8443
        @Option(help: ArgumentHelp("Plain HTTP port of IMDS and THIM; 0 picks a free one.", valueName: "port")) var metadataPort = 8081
        @Option(
            help: ArgumentHelp(
                "Also run a proxy on this port that leads Azure's names to the simulators, for HTTPS_PROXY; 0 picks a free one.",
                valueName: "port")) var proxyPort: Int?
        @Option(help: ArgumentHelp("Keep imported keys and the authority here; in memory without it.", valueName: "directory")) var keys:
            String?
        @Option(help: ArgumentHelp("Another host name for the server certificate. May be repeated.", valueName: "name")) var hostName:
            [String] = []
        @Option(help: ArgumentHelp("Processor of the fixture evidence: milan, genoa or turin.", valueName: "product")) var product = "milan"
        @Option(help: ArgumentHelp("Life of attestation tokens in seconds.", valueName: "seconds")) var tokenLife: Int64 = 28_800
        @Option(help: ArgumentHelp("Life of access tokens in seconds.", valueName: "seconds")) var accessTokenLife: Int64 = 86_399
        @Flag(help: "Ask for a bearer token on attestation, as a private MAA provider does.") var attestationRequiresBearer = false
        @Option(
            help: ArgumentHelp(
                "Take this key permission from every caller: \(KeyPermission.allCases.map(\.rawValue).joined(separator: ", ")). May be "
                    + "repeated.",
                valueName: "permission")) var deny: [String] = []
        @Option(
            help: ArgumentHelp(
                "PEM file with VCEK, ASK and ARK that THIM, KDS and the certificate cache serve instead of the fixture chip's.",
                valueName: "file")) var endorsements: String?
        @Option(
            help: ArgumentHelp(
                "Answer each request of this route with an error, and a Retry-After if given, for example kds=503 or keys.get=429,7; "
                    + "with *COUNT only so many of them, for example keys.release=500*1: "
                    + "\(SimulatorRoute.allCases.map(\.rawValue).joined(separator: ", ")). May be repeated.",
                valueName: "route=status[,retry-after][*count]")) var fault: [String] = []
        @Option(
            help: ArgumentHelp(
                "Take no more than so many requests of a route in so many seconds, for example keys.release=100/10; the next ones are "
                    + "answered with 429. May be repeated.",
                valueName: "route=count/seconds")) var limit: [String] = []
        @Flag(help: "Write a line to standard error for each request that was answered.") var verbose = false
        @Flag(help: "Print one JSON line with ports and files instead of the text.") var json = false

        func run() async throws {
            guard let product = ProcessorProduct.allCases.first(where: { $0.rawValue.lowercased() == product.lowercased() }) else {
                throw CommandFailure(.usage, "--product is milan, genoa, turin or venice")
            }
            guard tokenLife > 0, accessTokenLife > 0 else { throw CommandFailure(.usage, "a token lives for at least one second") }
            guard [port, metadataPort, proxyPort ?? 0].allSatisfy({ (0...65535).contains($0) }) else {
                throw CommandFailure(.usage, "a port is a number from 0 to 65535")
            }
            let denied = deny.compactMap(KeyPermission.init)
            guard denied.count == deny.count else {
                throw CommandFailure(.usage, "--deny is one of \(KeyPermission.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let sink = LogSink.standardError(.text)
            defer { sink.flush() }
            Telemetry.bootstrap(sink: sink, level: verbose ? .debug : .notice)
            let cloud = try LocalCloud(directory: directory)
            try cloud.claim()
            var configuration = try cloud.simulatorConfiguration(product, logger: Logger(label: "simulators"))
            configuration.port = port
            configuration.metadataPort = metadataPort
            configuration.proxyPort = proxyPort
            configuration.keyDirectory = keys
            configuration.extraHostNames = hostName
            configuration.attestationTokenLife = tokenLife
            configuration.accessTokenLife = accessTokenLife
            configuration.faults = try fault.map(Self.faultRule)
            configuration.limits = try limit.map(Self.rateLimit)
            if let endorsements { configuration.endorsements = try LocalCloud.endorsements(endorsements) }
            configuration.attestationRequiresBearer = attestationRequiresBearer
            let simulators: AzureSimulators
            do { simulators = try AzureSimulators(configuration) } catch { throw CommandFailure(.impossible, "\(error)") }
            if !denied.isEmpty { simulators.deny(PermissionDenial(Set(denied))) }
            let group = ServiceGroup(
                configuration: .init(services: [simulators], gracefulShutdownSignals: [.sigterm, .sigint], logger: configuration.logger))
            async let running: Void = group.run()
            let client = SimulatedClient(caFile: cloud.caFile, identityHeader: configuration.identityHeader)
            do { announce(try await simulators.ports, cloud, product, client) } catch {
                throw CommandFailure(
                    .impossible, "\(error)", nextStep: "is the port taken? 0 picks a free one, for --port, --metadata-port and --proxy-port"
                )
            }
            try await running
        }

        private static func faultRule(_ text: String) throws -> FaultRule {
            let times = text.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
            let parts = times[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let answer = (parts.last ?? "").split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let count = times.count == 2 ? Int(times[1]) : nil
            guard parts.count == 2, let route = SimulatorRoute(rawValue: parts[0]), let status = Int(answer[0]),
                (400...599).contains(status), times.count == 1 || count.map({ $0 > 0 }) == true
            else {
                throw CommandFailure(
                    .usage,
                    "--fault wants ROUTE=STATUS or ROUTE=STATUS,RETRY-AFTER, and *COUNT if not for ever, for example kds=503; "
                        + "--help names the routes")
            }
            // Seconds or an HTTP date, or what no service should send.
            let headers = answer.dropFirst().map { (name: "Retry-After", value: $0) }
            return FaultRule(.status(status, headers: headers), on: route, count: count)
        }

        private static func rateLimit(_ text: String) throws -> RateLimit {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            let numbers = (parts.last ?? "").split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard parts.count == 2, let route = SimulatorRoute(rawValue: String(parts[0])), numbers.count == 2,
                numbers.allSatisfy({ (1...100_000).contains($0) })
            else {
                throw CommandFailure(
                    .usage, "--limit wants ROUTE=COUNT/SECONDS, for example keys.release=100/10; --help names the routes")
            }
            return RateLimit(route, count: numbers[0], window: .seconds(numbers[1]))
        }

        private func announce(_ ports: SimulatorPorts, _ cloud: LocalCloud, _ product: ProcessorProduct, _ client: SimulatedClient) {
            let configuration = cloud.brokerConfiguration(ports, product: product).serialized(pretty: true)
            do { try OutputFile.write(configuration + [UInt8(ascii: "\n")], to: cloud.configurationFile) } catch {
                Console.note("cannot write \(cloud.configurationFile): \(error)")
            }
            if json {
                var line: JSONObject = [
                    "tls_port": .integer(Int64(ports.tls)), "metadata_port": .integer(Int64(ports.metadata)),
                    "ca_file": .string(cloud.caFile), "configuration": .string(cloud.configurationFile),
                    "environment": client.environment(ports),
                ]
                if let proxy = ports.proxy { line.set("proxy_port", .integer(Int64(proxy))) }
                Console.writeBytes(JSONValue.object(line).serialized() + [UInt8(ascii: "\n")])
                return
            }
            let style = Style(isOn: Console.hasColour)
            let proxy = ports.proxy.map { "127.0.0.1:\($0)   leads to both by Azure's names" } ?? "none; --proxy-port 0 starts one"
            Console.line(
                """
                \(style.strong("The simulators are listening."))
                  TLS            127.0.0.1:\(ports.tls)   MAA, Key Vault, Managed HSM, Entra, AMD KDS, certificate cache, by host name
                  metadata       127.0.0.1:\(ports.metadata)   IMDS and THIM, plain HTTP; App Service's identity endpoint at /msi/token
                  proxy          \(proxy)
                  authority      \(cloud.caFile)
                  configuration  \(cloud.configurationFile)
                  names          any NAME.vault.azure.net, NAME.managedhsm.azure.net, NAME.REGION.attest.azure.net; other clouds too

                Start a broker against them:
                  attestation-broker serve --config \(cloud.configurationFile)

                \(client.text(ports, vault: LocalCloud.vault))
                """)
        }
    }
#endif
