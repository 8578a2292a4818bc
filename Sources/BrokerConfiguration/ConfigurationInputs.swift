/// One setting from the command line.
package struct SettingOverride: Sendable, Equatable {
    /// `evidence.use`.
    package let path: String
    /// The value as text; its declaration knows the type.
    package let text: String
    /// The option that set it, for messages.
    package let option: String

    package init(path: String, text: String, option: String = "--set") {
        self.path = path
        self.text = text
        self.option = option
    }

    /// Takes `PATH=VALUE` apart at the first `=`; `nil` where there is none or nothing in front of it.
    package init?(assignment: String, option: String = "--set") {
        guard let equals = assignment.utf8.firstIndex(of: UInt8(ascii: "=")), equals > assignment.startIndex else { return nil }
        self.init(path: String(assignment[..<equals]), text: String(assignment[assignment.utf8.index(after: equals)...]), option: option)
    }
}

/// Everything that the configuration is made of; later layers win: declared defaults, file, inputs of the original sidecar, `BROKER_…`,
/// options.
package struct ConfigurationInputs: Sendable {
    package var file: ConfigurationFile?
    /// The whole environment; what does not belong to the broker is ignored.
    package var environment: [String: String]
    package var original: OriginalSidecarInputs
    /// In the order of the command line; of two for one setting the later wins.
    package var overrides: [SettingOverride]

    /// `original` is read from `environment` unless it is given.
    package init(
        file: ConfigurationFile? = nil, environment: [String: String] = [:], original: OriginalSidecarInputs? = nil,
        overrides: [SettingOverride] = []
    ) {
        self.file = file
        self.environment = environment
        self.original = original ?? OriginalSidecarInputs(environment: environment)
        self.overrides = overrides
    }
}
