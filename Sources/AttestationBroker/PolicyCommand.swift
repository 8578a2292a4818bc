import ArgumentParser
import PolicyTools

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Host data of a security policy; write, check and explain release policies.",
        subcommands: [PolicyDigest.self, PolicyNew.self, PolicyLint.self, PolicyExplain.self])
}

/// Input that several commands read.
enum PolicyFile {
    /// A release policy, out of a key bundle or its encoding where it is in one; `-` for standard input.
    static func document(_ path: String) throws -> PolicyDocument {
        do {
            return try PolicyDocument(InputFile.bytes(path, limit: PolicyDocument.maximumBytes))
        } catch let failure as PolicyDocument.Failure {
            throw CommandFailure(.impossible, "\(path): \(failure)")
        }
    }

    /// The value of --for.
    static func purpose(_ text: String) throws -> PolicyLinter.Purpose {
        guard let purpose = PolicyLinter.Purpose(rawValue: text) else {
            throw ValidationError("say container or cvm")
        }
        return purpose
    }
}

extension TextMarks {
    /// The emphasis of the terminal.
    init(_ style: Style) {
        self.init(
            good: { style.good($0) }, bad: { style.bad($0) }, strong: { style.strong($0) }, faint: { style.faint($0) })
    }
}
