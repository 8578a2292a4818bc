internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Import, list, show and release keys of a key vault or a Managed HSM.",
        subcommands: [KeyImport.self, KeyList.self, KeyShow.self, KeyReleaseCommand.self])
}

/// The key store of a command.
struct KeyStoreOption: ParsableArguments {
    @Option(help: ArgumentHelp("The key vault or Managed HSM (default: the first configured one with an endpoint).", valueName: "host"))
    var store: String?

    func endpoint(_ composition: Composition) throws -> Endpoint {
        if let store {
            let endpoint: Endpoint
            do { endpoint = try Endpoint(store) } catch { throw CommandFailure(.usage, "--store: \(error.description)") }
            try Self.check(endpoint, composition)
            return endpoint
        }
        for store in composition.keyStores { if let endpoint = store.provider.defaultEndpoint { return endpoint } }
        throw CommandFailure(
            .usage, "no key store is named",
            nextStep: "say --store contoso.vault.azure.net, or set key-stores.akv.endpoint or key-stores.mhsm.endpoint")
    }

    /// An access token goes to no host that the configuration would not send one to.
    static func check(_ endpoint: Endpoint, _ composition: Composition) throws {
        guard composition.keyStores.contains(where: { $0.provider.claims(endpoint) }) else {
            let names = composition.keyStores.map { "'\($0.name)'" }.joined(separator: ", ")
            throw CommandFailure(
                .usage, "none of the configured key stores (\(names)) answers for \(endpoint); nothing was sent there",
                nextStep: "set the cloud, or key-stores.akv.endpoint or key-stores.mhsm.endpoint, if it is meant")
        }
    }
}
