internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import SNPVerification
internal import StrictJSON

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "What is built in, what it accepts, does it work here.",
        subcommands: [List.self, Show.self, Probe.self])

    struct List: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the evidence providers, verifiers and key stores."
        ).examples("plugins list")

        @Flag(help: "Print JSON.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            let reference = SettingsReference(registry)
            if json {
                Console.json(reference.listJSON())
            } else {
                Console.write(reference.listText())
            }
        }
    }

    struct Show: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show the settings of one provider."
        ).examples("plugins show maa", "plugins show snp --products")

        @Argument(help: "The provider's name, for example maa.") var name: String
        @Flag(help: "Print AMD's products and floors instead, with their sources: what evidence is verified with.") var products = false
        @Option(help: ArgumentHelp("With --products: a product file, whose entries are shown in their places.", valueName: "file"))
        var productsFile: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if productsFile != nil, !products { throw ValidationError("--products-file goes with --products") }
        }

        func run(_ registry: ProviderRegistry) async throws {
            if products, ["snp", "local"].contains(name) {
                let table = try productsFile.map(ProductsInput.table) ?? .builtIn
                if json { Console.json(ProductsText.json(table)) } else { for line in ProductsText.lines(table) { Console.line(line) } }
                return
            }
            guard !products else { throw CommandFailure(.usage, "--products is of the provider 'snp'") }
            let reference = SettingsReference(registry)
            guard let text = reference.showText(name), let value = reference.showJSON(name) else {
                let suggestion = reference.suggestion(forProvider: name).map { "did you mean '\($0)'?" }
                throw CommandFailure(.usage, "there is no provider '\(name)'", nextStep: suggestion ?? "'plugins list' names them all")
            }
            if json { Console.json(value) } else { Console.write(text) }
        }
    }

    struct Probe: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "probe",
            abstract: "Make the configured providers and ask each whether it could work here. Exit status 1 when one could not."
        ).examples("plugins probe --config broker.json")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
            defer { composition.shutdown() }
            let readiness = await composition.engine.readiness(in: composition.engine.makeContext(id: "probe"))
            let failure = readiness.isReady ? nil : CommandFailure(.refused, "not ready: \(readiness.obstacles.joined(separator: "; "))")
            if json {
                let result: JSONValue = [
                    "ready": .boolean(readiness.isReady), "obstacles": .array(readiness.obstacles.map { .string($0) }),
                    "evidence": .string(readiness.provenance.rawValue),
                ]
                Console.json(result, failure: failure)
            } else if readiness.isReady {
                Console.line("ready (\(readiness.provenance.rawValue) evidence)")
            } else {
                for obstacle in readiness.obstacles { Console.line("problem: \(obstacle)") }
            }
            try Console.end(failure)
        }
    }
}
