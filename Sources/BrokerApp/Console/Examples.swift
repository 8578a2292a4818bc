internal import ArgumentParser

extension CommandConfiguration {
    /// The same with command lines at the end of the help, each without the program's name.
    func examples(_ lines: String...) -> CommandConfiguration {
        var configuration = self
        let text = (["Examples:"] + lines.map { "  attestation-broker \($0)" }).joined(separator: "\n")
        configuration.discussion = discussion.isEmpty ? text : "\(discussion)\n\n\(text)"
        return configuration
    }
}
