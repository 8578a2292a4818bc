import ArgumentParser
import BrokerConfiguration
import BrokerCore

/// Where the configuration comes from; the same options for every command that has one.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The JSON configuration file (default: the variable BROKER_CONFIG).", valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Set one setting, for example --set evidence.use=fixture. May be repeated.", valueName: "path=value"))
    var set: [String] = []

    @Option(name: .customLong("original-base64"), help: .hidden)
    var originalBase64: String?
    @Option(name: .customLong("original-port"), help: .hidden)
    var originalPort: String?
    @Option(name: .customLong("original-loglevel"), help: .hidden)
    var originalLogLevel: String?
    @Option(name: .customLong("original-logfile"), help: .hidden)
    var originalLogFile: String?
    @Option(name: .customLong("original-server-type"), help: .hidden)
    var originalServerType: String?

    /// Reads file and environment and checks everything. Problems are reported all at once, exit status 78.
    func load(_ registry: ProviderRegistry) throws -> BrokerConfiguration {
        try arguments.load(registry)
    }

    var arguments: ConfigurationArguments {
        ConfigurationArguments(
            config: config, set: set, originalBase64: originalBase64, originalPort: originalPort,
            originalLogLevel: originalLogLevel, originalLogFile: originalLogFile,
            originalServerType: originalServerType)
    }
}
