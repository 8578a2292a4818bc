internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import StrictJSON

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration without starting.", subcommands: [Check.self, Example.self])

    struct Check: ProviderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Report every problem at once, or show what applies and where it comes from. Exit status 78 on a problem.")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run(_ registry: ProviderRegistry) async throws {
            let configuration: BrokerConfiguration
            do { configuration = try options.check(registry) } catch let unusable as ConfigurationOptions.Unusable {
                if json { print(["valid": false, "problems": .array(unusable.problems.problems.map(\.json))]) }
                throw unusable.failure
            }
            guard json else {
                for setting in configuration.effective { Console.line(setting.description) }
                for warning in configuration.warnings { Console.note("warning: \(warning)") }
                return
            }
            print([
                "valid": true, "settings": .array(configuration.effective.map(\.json)),
                "warnings": .array(configuration.warnings.map { .string($0) }),
            ])
        }

        private func print(_ result: JSONValue) { Console.writeBytes(result.serialized(pretty: true) + [UInt8(ascii: "\n")]) }
    }

    struct Example: ProviderCommand {
        static let configuration = CommandConfiguration(abstract: "Print a configuration file with every setting at its default.")

        func run(_ registry: ProviderRegistry) async throws {
            Console.writeBytes(SettingsReference(registry).exampleJSON().serialized(pretty: true) + [UInt8(ascii: "\n")])
        }
    }
}
