internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore

/// Where the configuration comes from; the same options for every command that has one.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The JSON configuration file (default: the variable BROKER_CONFIG).", valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Set one setting, for example --set evidence.use=fixture. May be repeated.", valueName: "path=value")) var set:
        [String] = []

    @Option(name: .customLong("original-base64"), help: .hidden) var originalBase64: String?
    @Option(name: .customLong("original-port"), help: .hidden) var originalPort: String?
    @Option(name: .customLong("original-loglevel"), help: .hidden) var originalLogLevel: String?
    @Option(name: .customLong("original-logfile"), help: .hidden) var originalLogFile: String?
    @Option(name: .customLong("original-server-type"), help: .hidden) var originalServerType: String?

    /// Reads file and environment and checks everything. Problems are reported all at once, exit status 78.
    func load(_ registry: ProviderRegistry) throws -> BrokerConfiguration {
        let environment = ProcessEnvironment.all
        var inputs = ConfigurationInputs(
            environment: environment,
            original: OriginalSidecarInputs(
                environment: environment, base64: originalBase64, port: originalPort, logLevel: originalLogLevel, logFile: originalLogFile,
                serverType: originalServerType))
        if let path = config ?? environment["BROKER_CONFIG"], !path.isEmpty {
            do { inputs.file = try ConfigurationFile.read(path) } catch {
                throw CommandFailure(
                    .configuration, "the configuration cannot be read",
                    nextStep: config == nil ? "BROKER_CONFIG names this file; correct or unset it" : nil, problems: error.problems)
            }
        }
        for assignment in set {
            guard let override = SettingOverride(assignment: assignment) else {
                throw CommandFailure(.usage, "--set wants PATH=VALUE, for example --set evidence.use=fixture")
            }
            inputs.overrides.append(override)
        }
        do { return try BrokerConfiguration.load(inputs, registry: registry) } catch {
            throw CommandFailure(
                .configuration, "the configuration cannot be used",
                nextStep: "correct these, then run 'attestation-broker config check'; 'plugins show NAME' lists a provider's settings",
                problems: error.problems)
        }
    }
}
