internal import ArgumentParser

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Import, list, show and release keys of a key vault or a Managed HSM, and change their policies.",
        subcommands: subcommands)

    private static var subcommands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [KeyImport.self, KeyList.self, KeyShow.self, KeyReleaseCommand.self]
        #if PolicyTools
            commands.append(KeyPolicyCommand.self)
        #endif
        return commands
    }
}
