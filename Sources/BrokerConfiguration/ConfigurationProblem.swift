internal import PlainText

/// Where a setting, or a complaint about one, comes from.
package enum ConfigurationSource: Sendable, Equatable, CustomStringConvertible {
    /// The declaration in the program.
    case builtIn
    /// The configuration file of that name.
    case file(String)
    /// The environment variable of that name.
    case environment(String)
    /// An option of the command line, as the user spelled it: `--set`.
    case option(String)
    /// An input of the original sidecar: `Port`, `-loglevel`, `SkrSideCarArgs`.
    case original(String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let name): "file \(VisibleText.line(name))"
        case .environment(let name): "environment \(VisibleText.line(name))"
        case .option(let name): "option \(VisibleText.line(name))"
        case .original(let name): VisibleText.line(name)
        }
    }
}

/// One thing that is wrong with the configuration.
package struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// The setting, for example `verifier.maa.endpoint`; empty where the whole source is meant.
    package let path: String
    package let source: ConfigurationSource
    /// What is wrong and, where it can be told, what was meant. Never a value, which may be a misplaced secret; names of providers are
    /// shown.
    package let message: String

    package init(path: String, source: ConfigurationSource, message: String) {
        self.path = path
        self.source = source
        self.message = message
    }

    /// `verifier.maa.timeout (file broker.json): expected a duration such as 500ms, 10s, 5m or 1h, found a number`.
    package var description: String { path.isEmpty ? "\(source): \(message)" : "\(path) (\(source)): \(message)" }
}

/// Everything that is wrong with the configuration, found in one pass. Exit status 78.
package struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one; the last one says how many were left out where there are very many.
    package let problems: [ConfigurationProblem]

    static let limit = 100

    package init(_ problems: [ConfigurationProblem]) {
        guard problems.count > Self.limit else {
            self.problems = problems
            return
        }
        let rest = ConfigurationProblem(
            path: "", source: problems[Self.limit].source, message: "and \(problems.count - Self.limit) more problems")
        self.problems = problems.prefix(Self.limit) + [rest]
    }

    /// One problem a line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
