internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import StrictJSON

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration without starting; explain its settings.",
        subcommands: [Check.self, Explain.self, Example.self])

    struct Check: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Report every problem at once, or show what applies and where it comes from. Exit status 78 on a problem."
        ).examples("config check --config broker.json")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            let configuration: BrokerConfiguration
            do { configuration = try options.load(registry) } catch let failure as CommandFailure where !failure.problems.isEmpty {
                if json {
                    Console.json(["valid": false, "problems": .array(failure.problems.map(\.json))], failure: failure)
                    Console.error(failure)
                    return try Console.end(failure)
                }
                throw failure
            }
            guard json else {
                for setting in configuration.effective { Console.line(setting.description) }
                for warning in configuration.warnings { Console.note("warning: \(warning)") }
                return
            }
            Console.json([
                "valid": true, "settings": .array(configuration.effective.map(\.json)),
                "warnings": .array(configuration.warnings.map { .string($0) }),
            ])
        }
    }

    struct Explain: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Say what a setting means, its type and default, and how to set it.",
            discussion: "Takes the path of a setting, of a block (all settings in it), or a variable."
        ).examples("config explain verifier.maa.endpoint")

        @Argument(help: ArgumentHelp("For example verifier.maa.endpoint, log, or BROKER_LOG_LEVEL.", valueName: "path")) var path: String
        @Flag(help: "Print JSON.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            let reference = SettingsReference(registry)
            guard let text = reference.explainText(path), let document = reference.explainJSON(path) else {
                throw CommandFailure(
                    .usage, "\(path): \(reference.unknownSetting(path))", nextStep: "'config example' names every setting")
            }
            if json { Console.json(document) } else { Console.write(text) }
        }
    }

    struct Example: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "example", abstract: "Print a configuration file with every setting.",
            discussion: """
                Each is at its default; one that has none is a comment with its help: a member whose name begins with //. Without these \
                two characters, and with a value, it applies.
                """
        ).examples("config example")

        @Flag(help: "Print JSON, which is what it prints anyway.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            Console.json(SettingsReference(registry).exampleJSON())
        }
    }
}
