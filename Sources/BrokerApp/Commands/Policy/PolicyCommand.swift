#if PolicyTools
    internal import ArgumentParser
    internal import PolicyTools
    internal import ReleasePolicy

    struct PolicyCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "policy", abstract: "Host data of a security policy; write, check, explain and compare policies.",
            subcommands: [PolicyDigest.self, PolicyNew.self, PolicyLint.self, PolicyExplain.self, PolicyDiff.self])
    }

    extension PolicyFile {
        /// The value of --for.
        static func purpose(_ text: String) throws -> PolicyLinter.Purpose {
            guard let purpose = PolicyLinter.Purpose(rawValue: text) else { throw ValidationError("say container or cvm") }
            return purpose
        }
    }

    extension TextMarks {
        /// The emphasis of the terminal.
        init(_ style: Style) {
            self.init(good: { style.good($0) }, bad: { style.bad($0) }, strong: { style.strong($0) }, faint: { style.faint($0) })
        }
    }
#endif
