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
    internal import SNPFixture
    internal import SNPReport
    internal import StrictJSON
    internal import UnixSignals

    struct DemoCommand: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "demo",
            abstract: "The whole flow offline in this process: simulated Azure, a broker, two keys released, one release denied.",
            discussion: """
                Lines are as long as the terminal's, or as COLUMNS says. Exit status 0 when every step went as told, 2 when one did not.
                """
        ).examples("demo", "demo --html demo.html", "demo --keep-running --port 8080")

        @Flag(help: "Print JSON.") var json = false
        #if PolicyTools
            @Option(
                help: ArgumentHelp(
                    "Write a self-contained page with every message, the chain of trust and the denial; - for standard output.",
                    valueName: "file")) var html: String?

            func validate() throws {
                if html == "-", json { throw ValidationError("--html - and --json both want standard output") }
            }
        #else
            private var html: String? { nil }
        #endif
        @Flag(help: "Leave everything running and print curl lines to try; ends with SIGINT or SIGTERM.") var keepRunning = false
        @Option(help: ArgumentHelp("Port of the broker; 0 picks a free one.", valueName: "port")) var port = 0

        func run(_ registry: ProviderRegistry) async throws {
            guard (0...65535).contains(port) else { throw CommandFailure(.usage, "a port is a number from 0 to 65535") }
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let form: DemoStory.Form = json ? .json : html == "-" ? .silent : .text
            let story = DemoStory(form, style: Style(isOn: form == .text && Console.hasColour), width: LineWidth.current)
            do {
                try await tell(story, in: directory.path, registry)
                story.finish()
            } catch {
                let failure =
                    error as? CommandFailure
                    ?? CommandFailure(.impossible, "the demo stopped at step \(story.stepNumber): \(error)")
                story.finish(failure: failure)
                Console.error(failure)
                try Console.end(failure)
            }
        }

        private func writePage(_ story: DemoStory, _ cloud: LocalCloud, _ policy: JSONValue) throws {
            #if PolicyTools
                guard let html else { return }
                let root = try FixtureDirectory(cloud.fixtureDirectory).root()
                let page = try DemoPage(story: story, policy: policy, root: root, now: SystemClock().now()).bytes()
                if html == "-" { Console.writeBytes(page) } else { try OutputFile.write(page, to: html) }
            #endif
        }

        private func tell(_ story: DemoStory, in directory: String, _ registry: ProviderRegistry) async throws {
            let logger = LoggingSetup.quiet()
            story.begin("Make a fixture machine")
            let cloud = try LocalCloud(directory: directory)
            var configuration = try cloud.simulatorConfiguration(.milan, logger: logger)
            if html != nil { configuration.onExchange = { story.note(DemoMessage($0)) } }
            story.end(
                "An ARK and an ASK (RSA 4096) and a VCEK (P-384) with AMD's certificate extensions, made a moment ago.",
                "Reports will be signed as a processor signs them, under a root that nobody else trusts: real cryptography, no claim to "
                    + "be AMD.")
            story.begin("Start the simulated Azure")
            try await AzureSimulators.withRunning(configuration) { simulators, ports in
                story.end(
                    "MAA, Key Vault, Managed HSM, Entra and IMDS on 127.0.0.1:\(ports.tls) over TLS; authority in \(cloud.caFile).",
                    "They verify reports, sign tokens, evaluate policies and wrap keys for real; Azure's own clients work against them.")
                let guest = try DemoBroker(cloud, ports, registry, debug: false, port: port, logger: logger)
                let debuggable = try DemoBroker(cloud, ports, registry, debug: true, port: 0, logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await guest.run() }
                    group.addTask { try await debuggable.run() }
                    let policy = try await DemoFlow(story: story, cloud: cloud, ports: ports).run(guest: guest, debuggable: debuggable)
                    try writePage(story, cloud, policy)
                    if keepRunning {
                        story.showCurlLines(brokerPort: try await guest.port, cloud: cloud, ports: ports)
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
