import BrokerConfiguration
import BrokerCore

/// What a command line says about where the configuration comes from.
struct ConfigurationArguments {
    /// The JSON configuration file.
    var config: String?
    /// Settings, each as `path=value`.
    var set: [String] = []
    var originalBase64: String?
    var originalPort: String?
    var originalLogLevel: String?
    var originalLogFile: String?
    var originalServerType: String?

    /// Reads file and environment and checks everything. Problems are reported all at once, exit status 78.
    func load(_ registry: ProviderRegistry) throws -> BrokerConfiguration {
        let environment = ProcessEnvironment.all
        var inputs = ConfigurationInputs(
            environment: environment,
            original: OriginalSidecarInputs(
                environment: environment, base64: originalBase64, port: originalPort, logLevel: originalLogLevel,
                logFile: originalLogFile, serverType: originalServerType))
        if let path = config ?? environment["BROKER_CONFIG"], !path.isEmpty {
            do {
                inputs.file = try ConfigurationFile.read(path)
            } catch {
                throw CommandFailure(
                    .configuration, error.description,
                    nextStep: config == nil ? "BROKER_CONFIG names this file; correct or unset it" : nil)
            }
        }
        for assignment in set {
            guard let override = SettingOverride(assignment: assignment) else {
                throw CommandFailure(.usage, "--set wants PATH=VALUE, for example --set evidence.use=fixture")
            }
            inputs.overrides.append(override)
        }
        do {
            return try BrokerConfiguration.load(inputs, registry: registry)
        } catch {
            throw CommandFailure(
                .configuration, "the configuration cannot be used\n" + indented(error.description),
                nextStep:
                    "correct these, then run 'attestation-broker config check'; 'plugins show NAME' lists a provider's settings"
            )
        }
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
    }
}

extension ConfigurationArguments {
    /// Reads a line of nothing but the options of `ConfigurationOptions`, each as `--name value` or `--name=value`; nil for every other line, also for those that
    /// the parser of all commands would understand. That one takes five milliseconds to learn the options, and a start should be short.
    init?(plain arguments: ArraySlice<String>) {
        var rest = arguments
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else { return nil }
            // What begins like an option may be one.
            guard parts.count == 2 || !value.hasPrefix("-") else { return nil }
            switch parts[0] {
            case "--config": config = value
            case "--set": set.append(value)
            case "--original-base64": originalBase64 = value
            case "--original-port": originalPort = value
            case "--original-loglevel": originalLogLevel = value
            case "--original-logfile": originalLogFile = value
            case "--original-server-type": originalServerType = value
            default: return nil
            }
        }
    }
}
