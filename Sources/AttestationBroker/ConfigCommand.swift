import ArgumentParser
import BrokerConfiguration
import BrokerCore
import StrictJSON

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration without starting.",
        subcommands: [Check.self, Example.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Report every problem at once, or show what applies and where it comes from. Exit status 78 on a problem."
        )

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let configuration = try options.load(builtInProviders())
            guard json else {
                for setting in configuration.effective { Console.line(setting.description) }
                for warning in configuration.warnings { Console.note("warning: \(warning)") }
                return
            }
            let settings = configuration.effective.map { setting -> JSONValue in
                [
                    "path": .string(setting.path), "value": setting.value.map { .string($0) } ?? .null,
                    "source": .string(setting.source.description),
                ]
            }
            let result: JSONValue = [
                "valid": true, "settings": .array(settings),
                "warnings": .array(configuration.warnings.map { .string($0) }),
            ]
            Console.writeBytes(result.serialized(pretty: true) + [UInt8(ascii: "\n")])
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a configuration file with every setting at its default.")

        func run() throws {
            Console.writeBytes(
                SettingsReference(try builtInProviders()).exampleJSON().serialized(pretty: true) + [UInt8(ascii: "\n")])
        }
    }
}
