#if Simulators && FixtureEvidence
    internal import ArgumentParser
    internal import AzureSimulators
    internal import BrokerConfiguration
    internal import BrokerCore
    internal import BrokerHTTP
    internal import FoundationEssentials
    internal import Glibc
    internal import Logging
    internal import ServiceLifecycle
    internal import SNPReport
    internal import UnixSignals

    struct DemoCommand: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "demo",
            abstract: "The whole flow offline in this process: simulated Azure, a broker, two keys released, one release denied.",
            discussion: "Exit status 0 when every step went as told, 2 when one did not."
        ).examples("demo", "demo --keep-running --port 8080")

        @Flag(help: "Print JSON.") var json = false
        @Flag(help: "Leave everything running and print curl lines to try; ends with SIGINT or SIGTERM.") var keepRunning = false
        @Option(help: ArgumentHelp("Port of the broker; 0 picks a free one.", valueName: "port")) var port = 0

        func run(_ registry: ProviderRegistry) async throws {
            guard (0...65535).contains(port) else { throw CommandFailure(.usage, "a port is a number from 0 to 65535") }
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let story = DemoStory(json: json, style: Style(isOn: !json && Console.hasColour))
            do {
                try await tell(story, in: directory.path, registry)
                story.finish()
            } catch {
                let failure = CommandFailure(.impossible, "the demo stopped at step \(story.stepNumber): \(error)")
                story.finish(failure: failure)
                Console.error(failure)
                try Console.end(failure)
            }
        }

        private func tell(_ story: DemoStory, in directory: String, _ registry: ProviderRegistry) async throws {
            let logger = LoggingSetup.quiet()
            let (cloud, configuration) = try story.step(
                "Make a fixture machine",
                "An ARK and an ASK (RSA 4096) and a VCEK (P-384) with AMD's certificate extensions, made a moment ago.",
                "Reports will be signed as a processor signs them, under a root that nobody else trusts: real cryptography, no claim to "
                    + "be AMD."
            ) {
                let cloud = try LocalCloud(directory: directory)
                return (cloud, try cloud.simulatorConfiguration(.milan, logger: logger))
            }
            try await AzureSimulators.withRunning(configuration) { simulators, ports in
                story.record(
                    "Start the simulated Azure",
                    "MAA, Key Vault, Managed HSM, Entra and IMDS on 127.0.0.1:\(ports.tls) over TLS; authority in \(cloud.caFile).",
                    "They verify reports, sign tokens, evaluate policies and wrap keys for real; Azure's own clients work against them.")
                let guest = try DemoBroker(cloud, ports, registry, debug: false, port: port, logger: logger)
                let debuggable = try DemoBroker(cloud, ports, registry, debug: true, port: 0, logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await guest.run() }
                    group.addTask { try await debuggable.run() }
                    try await DemoFlow(story: story, cloud: cloud, ports: ports).run(guest: guest, debuggable: debuggable)
                    if keepRunning {
                        story.showCurlLines(brokerPort: await guest.port, cloud: cloud, ports: ports)
                        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { break }
                    }
                    await guest.stop()
                    await debuggable.stop()
                    try await group.waitForAll()
                }
            }
        }
    }

    /// A directory below the system's temporary one that goes away with its owner.
    struct TemporaryDirectory {
        let path: String

        init() throws {
            let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
            var template = Array("\(base)/attestation-broker-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw CommandFailure(.impossible, "cannot make a directory in \(base): \(String(cString: strerror(errno)))")
            }
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }
#endif
